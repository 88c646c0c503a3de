// The chat window of other people's sites: <script src=".../contact/widget.js" data-site="KEY" async></script>. No dependency, no cookie;
// everything lives in a shadow tree, and before the visitor agrees nothing is kept anywhere (docs/decisions/0142).
(() => {
  const tag = document.currentScript;
  const site = tag?.dataset.site;
  if (!site || document.getElementById("jilink-chat")) return;
  const server = new URL(`chat/${encodeURIComponent(site)}/`, tag.src).href;
  const KEEP = `jilink-chat-${site}`;
  const language = (document.documentElement.lang || navigator.language || "zh").toLowerCase();
  const chinese = language.startsWith("zh");
  const WORDS = {
    open: ["在线咨询", "Chat with us"], close: ["收起窗口", "Close the window"], agree: ["同意并开始", "Agree and begin"],
    name: ["称呼（选填）", "Your name (optional)"], address: ["电话或邮箱（选填）", "Phone or e-mail (optional)"],
    reach: ["电话或邮箱", "Phone or e-mail"], words: ["您的问题", "Your question"], said: ["会话内容", "What was written"], message: ["写点什么…", "Write a message…"],
    send: ["发送", "Send"], file: ["发送文件", "Send a file"], end: ["结束会话", "End the conversation"],
    place: ["您排在第 {n} 位", "You are number {n} in line"], waits: ["正在为您接通…", "Finding somebody for you…"],
    talks: ["客服正在为您服务", "You are talking with us"], typing: ["对方正在输入…", "Typing…"],
    nobody: ["现在没有客服在线。请留言，我们会联系您。", "Nobody is here right now. Leave a message and we will get back to you."],
    hours: ["现在是非服务时间。请留言，我们会联系您。", "We are closed now. Leave a message and we will get back to you."],
    leave: ["留言", "Leave a message"], instead: ["改为留言", "Leave a message instead"], left: ["留言已收到，编号 {n}。", "We have your message. Its number is {n}."],
    over: ["会话已结束", "The conversation is over"], rate: ["您对本次服务满意吗？", "How did we do?"], thanks: ["感谢您的评价", "Thank you"],
    again: ["重新咨询", "Begin anew"], away: ["连接中断，正在重试…", "No connection. Trying again…"], unsent: ["未发送，点击重试", "Not sent. Press to try again"],
    read: ["已读", "Read"], me: ["我", "You"], them: ["客服", "Agent"], shut: ["现在不能咨询，请稍后再来。", "You cannot write here now. Please come back later."],
    large: ["文件不能超过 10 MB", "A file has at most 10 MB"], stars: ["{n} 分（满分 5 分）", "{n} of 5"], back: ["返回", "Back"], unread: ["有新消息", "New message"],
  };
  const say = (key, n = "") => WORDS[key][chinese ? 0 : 1].replace("{n}", n);

  const CSS = `
:host{all:initial;position:fixed;right:20px;bottom:20px;z-index:2147483000;font:15px/1.5 system-ui,-apple-system,"Segoe UI","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#1b2430}
*{box-sizing:border-box}[hidden]{display:none!important}
button,input,textarea{font:inherit;color:inherit}button{cursor:pointer}
:focus-visible{outline:3px solid #ffbf47;outline-offset:2px}
.bubble{display:flex;align-items:center;gap:8px;min-height:52px;padding:0 20px;border:0;border-radius:26px;background:var(--own);color:#fff;font-weight:600;box-shadow:0 6px 20px #0005}
.dot{width:10px;height:10px;border-radius:5px;background:#ffbf47}
.window{position:fixed;right:20px;bottom:20px;width:380px;height:min(620px,calc(100vh - 40px));display:flex;flex-direction:column;background:#fff;border:1px solid #c9d1da;border-radius:14px;overflow:hidden;box-shadow:0 12px 40px #0004}
header{display:flex;align-items:center;gap:8px;padding:12px 14px;background:var(--own);color:#fff}
header h2{margin:0;flex:1;font-size:16px}header button{min-width:40px;min-height:40px;border:0;background:transparent;color:#fff;font-size:22px;line-height:1}
.state{margin:0;padding:8px 14px;background:#eef2f6;font-size:13px;color:#33414f;display:flex;gap:8px;align-items:center;justify-content:space-between}
.link{border:0;background:none;padding:6px 0;color:var(--own);text-decoration:underline;font-size:13px}
.body{flex:1;overflow:auto;padding:14px;overscroll-behavior:contain}
form.ask{display:grid;gap:12px}label{display:grid;gap:4px;font-size:14px}
input,textarea{width:100%;padding:9px 10px;border:1px solid #74808c;border-radius:8px;background:#fff}
.greet{margin:0;padding:10px 12px;background:#eef2f6;border-radius:10px}.agree{margin:0;font-size:13px;color:#46525f}
.main{min-height:44px;padding:0 18px;border:0;border-radius:8px;background:var(--own);color:#fff;font-weight:600}.main:disabled{opacity:.6}
ol{list-style:none;margin:0;padding:0;display:grid;gap:10px}
li{max-width:84%;padding:8px 12px;border-radius:12px;background:#eef2f6;overflow-wrap:anywhere;white-space:pre-wrap;justify-self:start}
li.mine{justify-self:end;background:var(--own);color:#fff}li.unsent{background:#fff;color:#8c1d18;border:1px solid #8c1d18;cursor:pointer}
li small{display:block;font-size:11px;opacity:.85}li a,li .file{color:inherit;text-decoration:underline;background:none;border:0;padding:0;text-align:left}
.write{display:flex;gap:8px;align-items:flex-end;padding:10px;border-top:1px solid #d8dee5}
.write textarea{resize:none;max-height:120px}.write label.pick{flex:none;display:grid;place-items:center;width:44px;height:44px;border:1px solid #74808c;border-radius:8px;cursor:pointer}
.pick input{position:absolute;width:1px;height:1px;opacity:0}.pick:focus-within{outline:3px solid #ffbf47}
.stars{display:flex;gap:6px;flex-wrap:wrap}.stars button{min-width:48px;min-height:48px;border:1px solid #74808c;border-radius:8px;background:#fff;font-size:18px}.stars button[aria-pressed=true]{background:var(--own);color:#fff}
.wrong{margin:0;color:#8c1d18}.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media (max-width:520px){.window{inset:0;width:auto;height:auto;border:0;border-radius:0}}
@media (prefers-reduced-motion:no-preference){.window{animation:up .15s ease-out}@keyframes up{from{transform:translateY(12px);opacity:0}}}`;

  const host = document.createElement("div");
  host.id = "jilink-chat";
  host.lang = chinese ? "zh-CN" : "en";
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // no style element: pages may forbid those
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];

  // Only text nodes and attributes we name: what people wrote is never read as markup.
  function make(name, given = {}, ...inside) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(given)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (key in element && typeof value !== "string") element[key] = value;
      else element.setAttribute(key, value);
    }
    element.append(...inside.filter((each) => each != null));
    return element;
  }

  function clip() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: 18, height: 18, fill: "none", stroke: "currentColor", "stroke-width": 2, "aria-hidden": "true" })) svg.setAttribute(key, value);
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
    svg.firstChild.setAttribute("d", "M20 11 11.5 19.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7");
    return svg;
  }

  const kept = {
    read() { try { return JSON.parse(sessionStorage.getItem(KEEP)); } catch { return null; } },
    write(secret) { try { sessionStorage.setItem(KEEP, JSON.stringify({ secret })); } catch { /* the page forbids it: nothing outlives a reload */ } },
    forget() { try { sessionStorage.removeItem(KEEP); } catch { /* nothing was kept */ } },
  };

  let secret = kept.read()?.secret ?? "";
  let config = null;
  let now = { state: "", answered: false, place: 0, read: 0, mark: "", closed: "" };
  let lines = [];
  let has = 0;
  let isOpen = false;
  let unread = 0;
  let asking = 0;
  let leaving = false;
  let typedAt = 0;
  const failed = new Map();

  class Trouble extends Error {
    constructor(words, status) { super(words); this.status = status; }
  }

  async function ask(deed, body = {}, signal) {
    const form = body instanceof FormData;
    const headers = { "Accept-Language": chinese ? "zh-hans" : "en", ...(form ? {} : { "Content-Type": "application/json" }) };
    const response = await fetch(server + deed, { method: "POST", body: form ? body : JSON.stringify(body), headers, credentials: "omit", signal });
    if (!response.ok) throw new Trouble((await response.json().catch(() => ({}))).refusal ?? say("away"), response.status);
    return deed === "file" ? response.blob() : response.json();
  }

  const random = (bytes) => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(bytes)))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  // The window

  const live = make("div", { class: "sr", role: "status", "aria-live": "polite" });
  const bubbleWords = make("span");
  const dot = make("span", { class: "dot", hidden: true });
  const bubble = make("button", { class: "bubble", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => show(true) }, dot, bubbleWords);
  const title = make("h2", { id: "title" });
  const state = make("p", { class: "state", hidden: true });
  const body = make("div", { class: "body", tabindex: "0", role: "region", "aria-labelledby": "title" });
  const foot = make("div");
  const panel = make("section", { class: "window", role: "dialog", "aria-labelledby": "title", hidden: true, onkeydown: (event) => event.key === "Escape" && show(false) },
    make("header", {}, title, make("button", { type: "button", "aria-label": say("close"), onclick: () => show(false) }, "×")), state, body, foot, live);
  root.append(bubble, panel);

  function announce(words) {
    live.textContent = "";
    requestAnimationFrame(() => (live.textContent = words));
  }

  async function show(open) {
    isOpen = open;
    panel.hidden = !open;
    bubble.hidden = open;
    bubble.setAttribute("aria-expanded", String(open));
    if (!open) return bubble.focus();
    unread = 0;
    mark();
    if (!config) await configure();
    draw();
    (root.querySelector(".body input, .body textarea, .write textarea") ?? panel.querySelector("header button")).focus();
  }

  async function configure() {
    try {
      config = await ask("hello", { language });
    } catch (error) {
      config = null;
      body.replaceChildren(make("p", { class: "wrong", role: "alert" }, error.message));
      return;
    }
    host.style.setProperty("--own", config.colour);
    title.textContent = config.title;
    mark();
  }

  function mark() {
    bubbleWords.textContent = unread ? say("unread") : (config?.title ?? say("open"));
    dot.hidden = !unread;
  }

  // What is shown: before it began, while it goes on, after it ended, and the message that can be left.

  let drawn = "";
  function draw() {
    if (!config) return;
    const view = leaving || now.state === "unattended" ? "message" : !secret ? (config.open ? "begin" : "message") : now.state === "closed" ? "over" : "talk";
    if (view !== drawn) {
      drawn = view;
      body.replaceChildren();
      foot.replaceChildren();
      ({ begin, message, over, talk })[view]();
    }
    if (view === "talk") drawTalk();
    const words = view !== "talk" ? "" : now.answered ? (now.typing ? say("typing") : say("talks")) : now.place ? say("place", now.place) : say("waits");
    const more = view !== "talk" ? null : !now.answered && config.messages ? link("instead", () => { leaving = true; draw(); }) : link("end", end);
    state.hidden = !words;
    if (state.firstChild?.textContent !== words || state.children.length !== 2 || state.lastChild.textContent !== more?.textContent) {
      if (words && state.firstChild?.textContent !== words && words !== say("typing")) announce(words);
      state.replaceChildren(make("span", {}, words), ...(more ? [more] : []));
    }
  }

  const link = (key, deed) => make("button", { class: "link", type: "button", onclick: deed }, say(key));
  const field = (key, element) => make("label", {}, say(key), element);

  function asks(button, deed, ...fields) {
    const wrong = make("p", { class: "wrong", role: "alert", hidden: true });
    const press = make("button", { class: "main" }, say(button));
    return make("form", {
      class: "ask",
      async onsubmit(event) {
        event.preventDefault();
        press.disabled = true;
        wrong.hidden = true;
        try {
          await deed();
        } catch (error) {
          wrong.textContent = error.message;
          wrong.hidden = false;
        }
        press.disabled = false;
      },
    }, ...fields, make("p", { class: "agree" }, config.agreement), wrong, press);
  }

  function begin() {
    const name = make("input", { autocomplete: "name", maxlength: "100" });
    const address = make("input", { autocomplete: "tel", maxlength: "250" });
    const words = make("textarea", { rows: "4", maxlength: "4000", required: true });
    const client = random(12);
    const made = random(32); // asked again with the same, it is the same conversation
    body.append(asks("agree", async () => {
      await ask("begin", { secret: made, agreed: true, language, name: name.value, address: address.value, words: words.value, client });
      secret = made;
      kept.write(secret);
      poll();
      draw();
      root.querySelector(".write textarea").focus();
    }, make("p", { class: "greet" }, config.greeting), field("words", words), field("name", name), field("address", address)));
  }

  function message() {
    if (!config.messages) return body.append(make("p", { class: "greet" }, say("shut")), ...(config.hours ? [make("p", {}, config.hours)] : []));
    const name = make("input", { autocomplete: "name", maxlength: "100" });
    const address = make("input", { autocomplete: "tel", maxlength: "250", required: true });
    const words = make("textarea", { rows: "4", maxlength: "4000", required: true });
    const client = random(12);
    const made = secret || random(32);
    const why = make("p", { class: "greet" }, say(config.open ? "nobody" : "hours"), ...(config.hours ? [make("br"), config.hours] : []));
    body.append(asks("leave", async () => {
      const told = await ask("message", { secret: made, agreed: true, language, name: name.value, address: address.value, words: words.value, client });
      secret = "";
      leaving = false;
      kept.forget();
      asking += 1;
      body.replaceChildren(make("p", { class: "greet", tabindex: "-1" }, say("left", told.case)), link("again", anew));
      drawn = "left";
      body.firstChild.focus();
      announce(say("left", told.case));
    }, why, field("words", words), field("reach", address), field("name", name)), ...(leaving ? [link("back", () => { leaving = false; draw(); })] : []));
  }

  function over() {
    const log = list();
    const stars = make("div", { class: "stars", role: "group", "aria-label": say("rate") }, ...[1, 2, 3, 4, 5].map((n) =>
      make("button", { type: "button", "aria-label": say("stars", n), "aria-pressed": String(now.rated === n), onclick: (event) => rate(n, event.currentTarget) }, `${n}`)));
    body.append(log, make("p", { class: "greet" }, say("over")), make("p", {}, say("rate")), stars, link("again", anew));
    announce(say("over"));
    fill(log.firstChild);
    body.scrollTop = body.scrollHeight;
  }

  async function rate(n, button) {
    await ask("rate", { secret, rating: n }).catch(() => null);
    for (const each of button.parentElement.children) each.setAttribute("aria-pressed", String(each === button));
    announce(say("thanks"));
  }

  function anew() {
    kept.forget();
    secret = "";
    lines = [];
    has = 0;
    now = { state: "", mark: "" };
    drawn = "";
    draw();
  }

  const list = () => make("div", { role: "log", "aria-live": "polite", "aria-label": say("said") }, make("ol"));

  function talk() {
    body.append(list());
    const words = make("textarea", { rows: "1", maxlength: "4000", "aria-label": say("message"), placeholder: say("message"), onkeydown(event) {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      event.currentTarget.form.requestSubmit();
    }, oninput() {
      if (Date.now() - typedAt < 4000 || !now.answered) return;
      typedAt = Date.now();
      ask("typing", { secret }).catch(() => null);
    } });
    const file = make("input", { type: "file", "aria-label": say("file"), onchange: () => { if (file.files[0]) send("", file.files[0]); file.value = ""; } });
    foot.append(make("form", { class: "write", onsubmit(event) {
      event.preventDefault();
      const said = words.value.trim();
      words.value = "";
      if (said) send(said);
    } }, make("label", { class: "pick", title: say("file") }, clip(), file), words, make("button", { class: "main" }, say("send"))));
  }

  function drawTalk() {
    const log = body.querySelector("ol");
    if (log) fill(log);
  }

  function fill(log) {
    const bottom = body.scrollHeight - body.scrollTop - body.clientHeight < 60;
    const shown = new Map([...log.children].map((each) => [each.dataset.key, each]));
    for (const line of lines) {
      const item = shown.get(`n${line.number}`) ?? log.appendChild(bubbleOf(line));
      const seen = item.querySelector(".seen");
      if (seen) seen.hidden = line.number > now.read;
      shown.delete(`n${line.number}`);
    }
    for (const [client, each] of failed) {
      if (!shown.get(`c${client}`)) log.append(pending(client, each));
      else { log.append(shown.get(`c${client}`)); shown.get(`c${client}`).classList.toggle("unsent", each.lost); shown.delete(`c${client}`); }
    }
    for (const gone of shown.values()) gone.remove();
    if (bottom) body.scrollTop = body.scrollHeight;
  }

  function bubbleOf(line) {
    const item = make("li", { class: line.theirs ? "mine" : "", "data-key": `n${line.number}` }, make("span", { class: "sr" }, `${say(line.theirs ? "me" : "them")}: `), line.text);
    if (line.file) item.append(fileOf(line));
    const at = new Date(line.at).toLocaleTimeString(chinese ? "zh-CN" : "en", { hour: "2-digit", minute: "2-digit" });
    item.append(make("small", {}, at, ...(line.theirs ? [make("span", { class: "seen", hidden: true }, ` · ${say("read")}`)] : [])));
    return item;
  }

  function fileOf(line) {
    return make("button", { class: "file", type: "button", async onclick() {
      const blob = await ask("file", { secret, number: line.number }).catch(() => null);
      if (!blob) return;
      const away = make("a", { href: URL.createObjectURL(blob), download: line.file.name });
      away.click();
      setTimeout(() => URL.revokeObjectURL(away.href), 60000);
    } }, clip(), ` ${line.file.name}`);
  }

  function pending(client, each) {
    const again = () => each.lost && deliver(client);
    return make("li", { class: each.lost ? "mine unsent" : "mine", "data-key": `c${client}`, onclick: again }, each.words || each.file.name, make("small", {}, each.lost ? make("button", { type: "button", class: "link" }, say("unsent")) : "…"));
  }

  // Going out: a message is told until it is acknowledged; told twice it is kept once.

  function send(words, file) {
    if (file && file.size > 10 * 1024 * 1024) return announce(say("large"));
    const client = random(12);
    failed.set(client, { words, file, lost: false });
    drawTalk();
    body.scrollTop = body.scrollHeight;
    deliver(client);
  }

  async function deliver(client) {
    const each = failed.get(client);
    each.lost = false;
    let told = { secret, words: each.words, client };
    if (each.file) {
      told = new FormData();
      for (const [key, value] of Object.entries({ secret, words: "", client })) told.append(key, value);
      told.append("file", each.file);
    }
    try {
      const { number } = await ask("say", told);
      each.number = number;
      if (number <= has) failed.delete(client);
    } catch (error) {
      each.lost = true;
      if (error.status) announce(error.message);
      root.querySelector(`[data-key="c${client}"]`)?.remove();
    }
    draw();
  }

  async function end() {
    await ask("leave", { secret }).catch(() => null);
  }

  // Coming in: one question at a time stays open; each answer is what is new, and a broken one is asked again.

  async function poll() {
    const mine = (asking += 1);
    let pause = 0;
    while (secret && mine === asking) {
      try {
        const known = { secret, has, read: isOpen && document.visibilityState === "visible" ? has : 0, mark: now.mark };
        const told = await ask("news", known, AbortSignal.timeout(40000));
        if (mine !== asking) return;
        pause = (told.again_s ?? 0) * 1000;
        take(told);
        if (now.state === "closed") return;
      } catch (error) {
        if (error.status === 404) return anew();
        if (error.status !== 429 && isOpen) state.firstChild && (state.firstChild.textContent = say("away"));
        pause = Math.min(15000, (pause || 1000) * 2);
      }
      if (pause) await new Promise((done) => setTimeout(done, pause * (0.75 + Math.random() / 2)));
    }
  }

  function take(told) {
    const fresh = told.lines.filter((line) => line.number > has);
    lines = [...lines, ...fresh];
    for (const line of fresh) {
      has = Math.max(has, line.number);
      if (!line.theirs && !isOpen) unread += 1;
      if (!line.theirs && !isOpen) mark();
    }
    for (const [client, each] of failed) if (each.number && each.number <= has) failed.delete(client);
    now = told;
    if (isOpen) draw();
  }

  function start() {
    document.body.append(host);
    host.style.setProperty("--own", "#0b5cab");
    mark();
    if (secret) {
      poll();
      configure();
    }
  }

  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
})();
