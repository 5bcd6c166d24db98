/** What the driver drives. */
export { Core } from "../src/core/core.js";
export { ParleyError } from "../src/errors.js";
export { MemoryStore } from "../src/store/memory.js";
export { pinsAfter } from "../src/views/pins.js";
