import JsSIP from "jssip";

const AGAIN_MS = [400, 800, 1500, 2500, 4000, 6000]; // until the engine knows a password that was made a moment ago
const GATHER_MS = 600; // for candidates of the ways to the engine; those that come later are not waited for
const LEAVE_AFTER = 3; // refusals in a row of a phone that was signed in: another page has it
const REGISTER_S = 60;

/**
 * A SIP phone over a WebSocket. `login` is {user, password, server}; `on` has `state(word)` with connecting, connected, again, taken,
 * refused; `rings(call)`, also of a call that goes out, `talks(call)`, `over(why)`, and `expected(header)`, which says whether a call is
 * answered by itself because it was in course before; so is one with the header ``X-Answer: now``. Returns what can be done with it.
 */
export function openPhone(login, sound, on) {
  const socket = new JsSIP.WebSocketInterface(login.server);
  const host = new URL(login.server).hostname;
  const agent = new JsSIP.UA({
    sockets: [socket],
    uri: `sip:${login.user}@${host}`,
    authorization_user: login.user,
    password: login.password,
    register_expires: REGISTER_S,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 8,
    user_agent: "Jilink",
  });
  let session = null;
  let wasIn = false;
  let refusals = 0;
  let timer = 0;

  agent.on("connecting", () => on.state(wasIn ? "again" : "connecting"));
  agent.on("disconnected", () => on.state("again"));
  agent.on("registered", () => {
    wasIn = true;
    refusals = 0;
    on.state("connected");
  });
  agent.on("registrationFailed", () => {
    refusals += 1;
    if (wasIn && refusals >= LEAVE_AFTER) return leave("taken");
    if (!wasIn && refusals > AGAIN_MS.length) return leave("refused");
    on.state(wasIn ? "again" : "connecting");
    clearTimeout(timer);
    timer = setTimeout(() => agent.isConnected() && agent.register(), AGAIN_MS[Math.min(refusals, AGAIN_MS.length) - 1]);
  });
  agent.on("newRTCSession", (news) => {
    if (news.originator !== "remote") return take(news.session, "", true);
    if (session) return news.session.terminate({ status_code: 486 });
    const atOnce = news.request.getHeader("X-Answer") === "now"; // somebody a campaign called has answered: they wait 2 s at most
    take(news.session, news.request.getHeader("X-Contact") ?? "", false, atOnce);
  });

  function leave(word) {
    clearTimeout(timer);
    agent.stop();
    on.state(word);
  }

  function take(one, contact, ours = false, atOnce = false) {
    session = one;
    let gathering = 0;
    one.on("peerconnection", ({ peerconnection }) => {
      peerconnection.addEventListener("track", (event) => {
        sound.srcObject = event.streams[0] ?? new MediaStream([event.track]);
        sound.play().catch(() => {}); // the browser begins by itself once somebody has touched the page
      });
    });
    one.on("icecandidate", ({ ready }) => {
      gathering ||= setTimeout(ready, GATHER_MS);
    });
    const over = (event) => {
      clearTimeout(gathering);
      if (session !== one) return;
      session = null;
      sound.srcObject = null;
      on.over(event?.cause ?? "");
    };
    one.on("ended", over);
    one.on("failed", over);
    one.on("confirmed", () => session === one && on.talks(contact));
    if (ours) one.on("progress", () => on.rings(contact));
    else if (atOnce || on.expected(contact)) answer();
    else on.rings(contact);
  }

  function answer() {
    session?.answer({ mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } });
  }

  agent.start();
  return {
    answer,
    call(number) {
      if (!session) agent.call(`sip:${number}@${host}`, { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } });
    },
    end: () => session?.terminate(),
    press: (key) => session?.isEstablished() && session.sendDTMF(key, { transportType: "RFC2833" }),
    mute(off) {
      if (off) session?.mute({ audio: true });
      else session?.unmute({ audio: true });
    },
    close: () => leave("closed"),
  };
}

/** Let it ring until the returned function is called: 450 Hz, one second on and four off (GB/T 3380). */
export function ring() {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: 450 });
  const gain = new GainNode(context, { gain: 0 });
  tone.connect(gain).connect(context.destination);
  tone.start();
  const beat = () => {
    gain.gain.setTargetAtTime(0.15, context.currentTime, 0.01);
    gain.gain.setTargetAtTime(0, context.currentTime + 1, 0.01);
  };
  beat();
  const timer = setInterval(beat, 5000);
  return () => {
    clearInterval(timer);
    context.close();
  };
}
