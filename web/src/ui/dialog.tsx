/** A modal dialog: the browser's own element, which keeps the focus, closes on Escape and gives the focus back. */
import { createContext, type ReactNode, useContext, useEffect, useId, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { Icon } from "./icon";
import { ToastPlace } from "./toast";

const Place = createContext<HTMLElement | null>(null);

/** Where menus have to be put to stand above everything: into the dialog that they belong to, else into what is the page's main. */
export function usePlace(): HTMLElement | null {
  return useContext(Place) ?? document.querySelector("main");
}

export function Dialog({
  title,
  onClose,
  children,
  wide,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}) {
  const { t } = useI18n();
  const place = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [element, setElement] = useState<HTMLElement | null>(null);
  useEffect(() => {
    const dialog = place.current;
    setElement(dialog);
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={place}
      className={wide ? "dialog wide" : "dialog"}
      aria-labelledby={heading}
      onClose={onClose}
      // A click on the dialog itself and on nothing in it is one on what is behind.
      onMouseDown={(event) => event.target === place.current && place.current.close()}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className="dialog-body">
        <header>
          <h2 id={heading}>
            <bdi>{title}</bdi>
          </h2>
          <button
            type="button"
            className="icon-button"
            aria-label={t("app.close")}
            onClick={() => place.current?.close()}
          >
            <Icon name="close" />
          </button>
        </header>
        <Place value={element}>{children}</Place>
      </div>
      <ToastPlace isDialog />
    </dialog>
  );
}
