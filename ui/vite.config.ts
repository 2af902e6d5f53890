import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const PDF = new URL('node_modules/pdfjs-dist/', import.meta.url);

/** What some documents need: character maps, the fonts that every reader has, and decoders of images. A page fetches them when it must. */
const pdfParts = {
  name: 'pdf-parts',
  apply: 'build' as const,
  generateBundle(this: { emitFile(file: object): string }) {
    const { version } = JSON.parse(readFileSync(new URL('package.json', PDF), 'utf8'));
    for (const folder of ['cmaps', 'standard_fonts', 'wasm'])
      for (const name of readdirSync(new URL(`${folder}/`, PDF))) {
        if (name.endsWith('.js') || name.startsWith('quickjs')) continue;
        const source = readFileSync(new URL(`${folder}/${name}`, PDF));
        this.emitFile({ type: 'asset', fileName: `assets/pdf-${version}/${folder}/${name}`, source });
      }
  },
};

// A config must be the default export: vite asks for it.
export default defineConfig({
  plugins: [react({ jsxImportSource: '@seen' }), pdfParts],
  resolve: { alias: { '@seen': fileURLToPath(new URL('src/seen', import.meta.url)) } },
  base: '/',
  build: {
    outDir: process.env.UI_OUT_DIR ?? 'dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    // Everything is served as a file: the content policy allows no data: scripts.
    assetsInlineLimit: 0,
    // Vite would ask for `modulepreload` with an inline script where a browser lacks it; those we support have it.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What every page needs stays in one piece: in many small ones, as each new part would cut it, it compresses worse.
          groups: [
            {
              name: 'every',
              test: /@mantine.(core.esm.(core|components.(Anchor|CloseButton|Stack|VisuallyHidden|FocusTrap|Group|Text|Button|ActionIcon|Loader|UnstyledButton|Box)\W)|hooks)|src.(app|api)./,
              minShareCount: 3,
            },
          ],
        },
      },
    },
  },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], passWithNoTests: false },
  server: {
    port: 5173,
    strictPort: true,
    host: '127.0.0.1',
    proxy: { '/api': process.env.TIDEGATE_URL ?? 'http://127.0.0.1:8433' },
  },
});
