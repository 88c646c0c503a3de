import { defineConfig } from "vite";

// Hashed files and their manifest go straight into the webkit room, where django-vite and the wheel find them.
export default defineConfig({
  base: "/static/jl/",
  publicDir: false,
  build: {
    outDir: "../src/jilink/webkit/static/jl",
    emptyOutDir: true,
    manifest: "manifest.json",
    license: { fileName: "THIRD_PARTY_LICENSES.md" },
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      checks: { eval: false }, // of htmx, for attributes that no page uses and the content security policy would refuse
      input: { app: "src/app.js", map: "src/map-page.js", alarms: "src/alarms-page.js", vehicle: "src/vehicle-page.js", track: "src/track-page.js", knowledge: "src/console/knowledge.js", assets: "src/console/assets.js", areas: "src/console/areas.js", inbox: "src/console/inbox.js", presence: "src/console/presence.js", drafts: "src/console/drafts.js", case: "src/console/case-page.js", reports: "src/console/reports.js", designer: "src/console/designer.js", imports: "src/console/imports.js", desk: "src/contact/desk.js", player: "src/contact/player.js", written: "src/contact/written.js", widget: "src/contact/widget.js", call: "src/contact/call.js" },
    },
  },
  worker: { format: "es" },
});
