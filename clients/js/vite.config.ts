import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    lib: {
      entry: { index: "src/index.ts", more: "src/more.ts", admin: "src/admin.ts", node: "src/node.ts" },
      formats: ["es"],
    },
    minify: false,
    rollupOptions: { external: /^node:/, output: { chunkFileNames: "[name].js" } },
  },
});
