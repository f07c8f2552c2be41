// Requests to the server, with its token where it asks for one.

const TOKEN = "efficientad-token";
const TRIES = 20;

export class ServerError extends Error {}

export async function fetchModels() {
  return (await send("/models.json", {})).json();
}

// Return the answer of /predict, its anomaly map as a Float32Array; ServerError with the server's one line.
export async function judge(model, blob) {
  const answer = await (await send(`/predict?anomaly_map=true&model=${encodeURIComponent(model)}`, {
    method: "POST",
    body: blob,
    headers: { "Content-Type": "application/octet-stream" },
  })).json();
  answer.anomaly_map.values = readFloats(answer.anomaly_map.data);
  delete answer.anomaly_map.data;
  return answer;
}

async function send(path, options) {
  for (let tries = 1; ; tries++) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = token ? { ...options.headers, Authorization: `Bearer ${token}` } : options.headers;
    let answer;
    try {
      answer = await fetch(path, { ...options, headers });
    } catch {
      throw new ServerError("The server does not answer.");
    }
    if (answer.ok) return answer;
    if (answer.status === 401) {
      await askForToken();
    } else if (answer.status === 429 && tries < TRIES) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get("Retry-After") || 1)));
    } else {
      throw new ServerError((await answer.json().catch(() => ({}))).error || `The server answers ${answer.status}.`);
    }
  }
}

function askForToken() {
  const dialog = document.getElementById("token-dialog");
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      sessionStorage.setItem(TOKEN, document.getElementById("token").value.trim());
      resolve();
    }, { once: true });
    if (!dialog.open) dialog.showModal();
  });
}

function readFloats(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}
