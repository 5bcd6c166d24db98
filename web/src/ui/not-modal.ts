/** In place of what locks the page behind a modal menu (vite.config.ts): nothing here is modal but the browser's own dialogs. */
function never(): never {
  throw new Error("menus and popovers are not modal here");
}

/** Of react-remove-scroll. */
export const RemoveScroll = never;
/** Of aria-hidden. */
export const hideOthers = never;
