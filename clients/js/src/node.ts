/** `@parley/client/node`: what only Node can do. */
export { fileStore } from "./store/file.js";
