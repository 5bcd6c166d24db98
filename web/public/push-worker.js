/** Shows pushes while no page is there to do it, and opens the chat that one is about. It keeps nothing, and caches nothing. */
const TEXTS = {
  en: {
    PARLEY_MESSAGE: "%1",
    PARLEY_MENTION: "%1 mentioned you",
    PARLEY_REPLY: "%1 replied to you",
    PARLEY_GROUP_MESSAGE: "%1 in %2",
    PARLEY_GROUP_MENTION: "%1 mentioned you in %2",
    PARLEY_GROUP_REPLY: "%1 replied to you in %2",
    PARLEY_REMINDER: "Reminder: %1",
    PARLEY_GROUP_REMINDER: "Reminder: %1 in %2",
    PARLEY_NOTICE: "News for you",
    PARLEY_TEXT: "New message",
    PARLEY_IMAGE: "Picture",
    PARLEY_AUDIO: "Voice message",
    PARLEY_VIDEO: "Film",
    PARLEY_FILE: "File",
  },
  de: {
    PARLEY_MENTION: "%1 hat dich erwähnt",
    PARLEY_REPLY: "%1 hat dir geantwortet",
    PARLEY_GROUP_MENTION: "%1 hat dich in %2 erwähnt",
    PARLEY_GROUP_REPLY: "%1 hat dir in %2 geantwortet",
    PARLEY_REMINDER: "Erinnerung: %1",
    PARLEY_GROUP_REMINDER: "Erinnerung: %1 in %2",
    PARLEY_NOTICE: "Neues für dich",
    PARLEY_TEXT: "Neue Nachricht",
    PARLEY_IMAGE: "Bild",
    PARLEY_AUDIO: "Sprachnachricht",
    PARLEY_VIDEO: "Film",
    PARLEY_FILE: "Datei",
  },
  zh: {
    PARLEY_MENTION: "%1 提到了你",
    PARLEY_REPLY: "%1 回复了你",
    PARLEY_GROUP_MESSAGE: "%2：%1",
    PARLEY_GROUP_MENTION: "%1 在 %2 中提到了你",
    PARLEY_GROUP_REPLY: "%1 在 %2 中回复了你",
    PARLEY_REMINDER: "提醒：%1",
    PARLEY_GROUP_REMINDER: "提醒：%2 中的 %1",
    PARLEY_NOTICE: "有新消息",
    PARLEY_TEXT: "新消息",
    PARLEY_IMAGE: "图片",
    PARLEY_AUDIO: "语音消息",
    PARLEY_VIDEO: "视频",
    PARLEY_FILE: "文件",
  },
};
const words = { ...TEXTS.en, ...TEXTS[navigator.language.split("-")[0]] };
const say = (key, given = []) =>
  (words[key] ?? words.PARLEY_NOTICE).replace(/%(\d)/g, (_, place) => given[place - 1] ?? "");
/** A page that is looked at shows it by itself. */
const isSeen = async () => (await self.clients.matchAll({ type: "window" })).some((page) => page.focused);

async function show(push) {
  if (push.withdrawn) {
    const shown = await self.registration.getNotifications({ tag: push.tag });
    for (const one of shown) one.close();
    return;
  }
  if (await isSeen()) return;
  const title = push.title ?? say(push.title_key, push.title_args);
  const body = push.body ?? (push.body_key ? say(push.body_key) : "");
  const { tag, data } = push;
  await self.registration.showNotification(title, { body, data, icon: "./icon.svg", ...(tag && { tag }) });
}

self.addEventListener("push", (event) => {
  if (event.data) event.waitUntil(show(event.data.json()));
});

async function open(about) {
  const where = about?.conversation_id ? `#/${encodeURIComponent(about.conversation_id)}` : "";
  const [page] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!page) return self.clients.openWindow(`./${where}`);
  await page.focus();
  if (where) page.postMessage({ type: "open", conversation_id: about.conversation_id });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data));
});
