let told = false;

/**
 * Prints the type errors of `lib`, once, if the kernel could not compile it cleanly before it started
 * (it puts them into `TSDIFFUSION_BUILD_ERRORS`).
 */
export function warnOfBuildErrors(): void {
  const errors = process.env.TSDIFFUSION_BUILD_ERRORS;
  if (!errors || told) return;
  told = true;
  console.error(
    `lib has type errors; the notebook runs with what could be compiled. Correct them, then restart the kernel.\n${errors}`,
  );
}
