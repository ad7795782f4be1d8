/**
 * Builds three entries into web/static/dist: `room` (the meeting room), `check`
 * (a site's line check) and `pages` (fonts and htmx of the ordinary pages). The server finds the hashed
 * files through .vite/manifest.json by the entries' names.
 */
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "/static/dist/",
  plugins: [react()],
  publicDir: false,
  build: {
    outDir: here("../static/dist"),
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    assetsInlineLimit: 0,
    // Fonts and scripts come from our own host only; nothing is preloaded by script.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      checks: { eval: false }, // htmx carries one; pages.ts switches it off
      input: { pages: here("src/pages.ts"), room: here("src/room.tsx"), check: here("src/check.tsx") },
    },
  },
});
