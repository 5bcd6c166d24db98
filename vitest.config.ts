import { defineConfig } from "vitest/config";

const source = { conditions: ["source", "module", "node", "development|production"] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },

  test: { include: ["clients/js/tests/**/*.test.ts", "clients/js/react/tests/**/*.test.tsx"], fileParallelism: false },
});
