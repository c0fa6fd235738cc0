const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it may stand in HTML, between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

/** A description of a picture for those who do not see it. @throws Error when it is missing or empty. */
export function checkAlt(alt: unknown): string {
  if (typeof alt !== 'string' || alt.trim() === '')
    throw new Error(
      'A picture needs `alt`: a sentence that says what it shows, for readers who cannot see it.',
    );
  return alt.trim();
}
