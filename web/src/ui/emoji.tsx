/** The emoji picker behind a button. Its data comes from beside the page, in the page's language, when it is first opened. */
import * as Popover from "@radix-ui/react-popover";
import { EmojiPicker, type EmojiPickerListEmojiProps, type EmojiPickerListRowProps } from "frimousse";
import { type ReactNode, useState } from "react";
import { useI18n } from "../i18n";
import { usePlace } from "./dialog";

/** The picker counts from 0, and readers from 1. */
const COMPONENTS = {
  Row: (props: EmojiPickerListRowProps) => {
    const row = { ...props, role: "row", "aria-rowindex": (props["aria-rowindex"] ?? 0) + 1 };
    return <div {...row} />;
  },
  Emoji: ({ emoji, ...props }: EmojiPickerListEmojiProps) => {
    const cell = { ...props, role: "gridcell", "aria-colindex": (props["aria-colindex"] ?? 0) + 1 };
    return (
      <button type="button" {...cell}>
        {emoji.emoji}
      </button>
    );
  },
};

export function EmojiButton({
  children,
  onPick,
  side = "top",
}: {
  children: ReactNode;
  onPick: (emoji: string) => void;
  side?: "top" | "bottom";
}) {
  const { t, language } = useI18n();
  const [open, setOpen] = useState(false);
  const pick = (emoji: string) => {
    setOpen(false);
    onPick(emoji);
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>{children}</Popover.Trigger>
      <Popover.Portal container={usePlace()}>
        <Popover.Content
          className="popover emoji"
          side={side}
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label={t("compose.emoji")}
        >
          <EmojiPicker.Root
            className="emoji-picker"
            columns={8}
            locale={language}
            emojibaseUrl="./emoji"
            onEmojiSelect={({ emoji }) => pick(emoji)}
          >
            <EmojiPicker.Search
              className="field"
              autoFocus
              aria-label={t("emoji.search")}
              placeholder={t("emoji.search")}
            />
            <EmojiPicker.Viewport className="emoji-view">
              <EmojiPicker.Loading className="emoji-note">{t("emoji.loading")}</EmojiPicker.Loading>
              <EmojiPicker.Empty className="emoji-note">{t("emoji.none")}</EmojiPicker.Empty>
              <EmojiPicker.List className="emoji-list" components={COMPONENTS} />
            </EmojiPicker.Viewport>
          </EmojiPicker.Root>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
