import tseslint from 'typescript-eslint';

const unused = { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' };

export default tseslint.config(
  { ignores: ['**/node_modules/', '.venv/', '.runtime/', 'out/', 'test/.tmp/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
      'no-console': 'off',
      'no-var': 'error',
      'object-shorthand': 'error',
      '@typescript-eslint/no-unused-vars': ['error', unused],
    },
  },
  {
    // Library: types are kept; a promise is never forgotten.
    files: ['lib/**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    // Set-up and the kernel's launcher are plain CommonJS: they run before anything is compiled.
    // The engine reaches into packages that have no types for it, and loads one backend of two.
    files: [
      '**/*.js',
      'test/**/*.ts',
      ...['repair-util', 'backend', 'webgpu/dawn'].map((name) => `lib/engine/${name}.ts`),
    ],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-explicit-any': 'off' } },
);
