import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Two pages: the desk, and the documentation of its API. No file is inlined, because the content
// security policy allows no inline script; hashes in the names let browsers keep the files.
export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "../src/calmstreet/web/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { index: "index.html", docs: "docs.html" } },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
  test: { include: ["src/**/*.test.ts"], passWithNoTests: true },
});
