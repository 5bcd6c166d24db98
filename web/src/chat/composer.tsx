/** Where one writes. Enter sends, Shift+Enter is a new line; a reply or an edit stands above it until it is sent or given up. */
import { useClient, useTyping } from "@parley/react";
import { type ClipboardEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { after, edit, send } from "../lib/drafts";
import { crowdsFor, mentionOf } from "../lib/everyone";
import { useMembers } from "../lib/members";
import { usePeople } from "../lib/names";
import { canRecord } from "../lib/recorder";
import { isBlank, mentionsIn } from "../lib/text";
import { EmojiButton } from "../ui/emoji";
import { IconButton } from "../ui/icon-button";
import { useToasts } from "../ui/toast";
import { useDraft } from "./draft";
import { MentionList, useMentions } from "./mentions";
import { RecordingLine } from "./recording";
import { Referring } from "./referring";
import { type SendFiles, useMayAttach, useUploads } from "./sending-files";

const LONGEST = 5_000;

export function Composer({ id, sendFiles }: { id: string; sendFiles: SendFiles }) {
  const { t } = useI18n();
  const { me } = usePeople();
  const { trying, say } = useToasts();
  const uploads = useUploads();
  const [isRecording, setIsRecording] = useState(false);
  const { users, isGroup, may, slowMode } = useMembers();
  const crowds = crowdsFor(may, users);
  const mayAttach = useMayAttach();
  const { draft, setDraft, refer } = useDraft();
  const { text, reference } = draft;
  const { setTyping } = useTyping(id);
  const client = useClient();
  const area = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const setText = (next: string) => setDraft((now) => ({ ...now, text: next }));
  const mentions = useMentions(area, text, setText, isGroup ? [...users.filter((user) => user !== me), ...crowds] : []);
  const content = text.trim();
  const tooMany = [...content].length - LONGEST;
  const isGood = !isBlank(content) && tooMany <= 0;

  const referred = useRef(reference);
  useEffect(() => {
    if (reference && reference !== referred.current) requestAnimationFrame(() => area.current?.focus());
    referred.current = reference;
  }, [reference]);

  const change = (next: string) => {
    setText(next);
    setTyping(!isBlank(next) && reference?.kind !== "edit");
  };
  const submit = async () => {
    if (!isGood) return;
    const named = isGroup ? mentionsIn(content, [...users, ...crowds]).map((one) => mentionOf(one, users)) : [];
    const more = { ...(named.length && { mentions: named }), ...(reference && { reply_to: reference.message.seq }) };
    const isEdit = reference?.kind === "edit";
    const work = isEdit ? edit(client, me, reference.message, content) : send(client, me, id, content, more);
    setDraft(after(draft));
    setTyping(false);
    if (!(await trying(work))) setDraft((now) => (now.text || now.reference ? now : draft));
  };
  const press = (event: KeyboardEvent) => {
    if (mentions.press(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void submit();
    } else if (event.key === "Escape" && reference) {
      event.preventDefault();
      refer(null);
    }
  };
  const paste = (event: ClipboardEvent) => {
    if (!mayAttach || !event.clipboardData.files.length) return;
    event.preventDefault();
    sendFiles(event.clipboardData.files);
  };
  const insert = (emoji: string) => {
    const { selectionStart: start = text.length, selectionEnd: end = text.length } = area.current ?? {};
    change(text.slice(0, start) + emoji + text.slice(end));
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(start + emoji.length, start + emoji.length);
    });
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {reference && <Referring reference={reference} onStop={() => refer(null)} />}
      <MentionList {...mentions} />
      {isRecording && (
        <RecordingLine
          onDone={({ blob, name, media }) => uploads.add(id, blob, name, undefined, { media })}
          onEnd={() => setIsRecording(false)}
          onRefused={() => {
            setIsRecording(false);
            say(t("record.refused"));
          }}
        />
      )}
      <div className="composer-line" hidden={isRecording}>
        {mayAttach && <IconButton icon="attach" label={t("compose.attach")} onClick={() => chooser.current?.click()} />}
        <input
          ref={chooser}
          type="file"
          multiple
          hidden
          tabIndex={-1}
          aria-label={t("compose.attach")}
          onChange={(event) => {
            sendFiles(event.target.files ?? []);
            event.target.value = "";
          }}
        />
        <div className="grow" data-text={`${text}\n`}>
          <textarea
            ref={area}
            dir="auto"
            rows={1}
            value={text}
            onChange={(event) => change(event.target.value)}
            onKeyDown={press}
            onPaste={paste}
            onSelect={mentions.look}
            onBlur={() => setTyping(false)}
            aria-label={t("compose.placeholder")}
            placeholder={t("compose.placeholder")}
            enterKeyHint="send"
            {...mentions.owned}
          />
        </div>
        <EmojiButton onPick={insert}>
          <IconButton icon="emoji" label={t("compose.emoji")} />
        </EmojiButton>
        {!text && !reference && mayAttach && canRecord() && (
          <IconButton
            icon="microphone"
            className="record"
            label={t("compose.record")}
            onClick={() => setIsRecording(true)}
          />
        )}
        <IconButton type="submit" icon="send" className="send" label={t("compose.send")} disabled={!isGood} />
      </div>
      {slowMode > 0 && <p className="hint">{t("compose.slow", { n: slowMode })}</p>}
      {tooMany > 0 && (
        <p className="bad" role="alert">
          {t("compose.tooLong", { n: tooMany })}
        </p>
      )}
    </form>
  );
}
