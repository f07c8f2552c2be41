// The page: images come in, the verdict is shown, the slider asks what another threshold would say.

import { fetchModels, judge } from "/page/api.js";
import { Camera } from "/page/camera.js";
import { drawPicture, readPicture } from "/page/drawing.js";
import { findRegions } from "/page/marks.js";
import { chooseRange, countAbove, drawScale } from "/page/scale.js";

const KEPT = 30; // images on the page; each holds a map
const LISTED = 9; // regions

const $ = (id) => document.getElementById(id);
const state = { models: [], palette: [], model: null, threshold: 0, items: [], shown: null, running: false };
const camera = new Camera($("video"), $("device"));

async function begin() {
  try {
    Object.assign(state, await fetchModels());
  } catch (error) {
    showVerdict("error", "NO SERVER", error.message);
    return;
  }
  $("model").replaceChildren(...state.models.map((model) => new Option(model.name)));
  chooseModel();
  for (const part of document.querySelectorAll("[inert]")) part.inert = false;
}

function chooseModel() {
  state.model = state.models.find((model) => model.name === $("model").value);
  state.threshold = state.model.threshold;
  state.items = [];
  state.shown = null;
  $("files").value = "";
  if (!camera.isOn) $("stage").dataset.shows = "empty";
  showAll();
}

// Judge files in turn; each is shown as it is judged.
async function judgeFiles(files) {
  await begun;
  if (!state.model) return;
  for (const file of files) await judgeBlob(file, file.name);
}

async function judgeBlob(blob, name, replaced = null) {
  const item = { name, model: state.model };
  if (!replaced) showVerdict("busy", "JUDGING", name);
  try {
    item.answer = await judge(item.model.name, blob);
    item.bitmap = await readPicture(blob, item.answer.image_size);
  } catch (error) {
    item.error = error.message;
  }
  if (item.model !== state.model) return null;
  if (replaced) state.items = state.items.filter((one) => one !== replaced);
  state.items = [item, ...state.items].slice(0, KEPT);
  showItem(item);
  return item;
}

function showItem(item) {
  state.shown = item;
  $("stage").dataset.shows = item.answer ? "result" : "empty";
  showAll();
}

function showAll() {
  const { low, high } = chooseRange(state.model);
  Object.assign($("threshold"), { min: low, max: high, value: state.threshold });
  showThreshold();
}

// What a move of the slider changes.
function showThreshold() {
  const { model, threshold, shown } = state;
  const score = shown?.answer ? shown.answer.score : null;
  const isMoved = threshold !== model.threshold;
  $("threshold-value").textContent = isMoved ? `${write(threshold)} instead of ${write(model.threshold)}` : write(threshold);
  $("reset").disabled = !isMoved;
  drawScale($("scale"), model, score, threshold);
  $("consequence").textContent = describeConsequence(model, threshold);
  document.body.dataset.moved = isMoved ? "yes" : "no";
  if (shown?.error) showVerdict("error", "NO VERDICT", shown.error);
  else if (shown) showVerdict(isDefect(shown) ? "defect" : "good", isDefect(shown) ? "DEFECT" : "GOOD", describeScore(shown));
  else showVerdict("none", "READY", model.product);
  showRegions();
  showHistory();
}

function isDefect(item) {
  return item.answer.score > state.threshold;
}

function describeScore({ name, answer }) {
  const moved = state.threshold === state.model.threshold ? "" : " · trial, the model is unchanged";
  return `score ${write(answer.score)} · threshold ${write(state.threshold)}${moved} · ${name}`;
}

function describeConsequence({ good_scores: good }, threshold) {
  if (!good) return "No scores of held-out good images lie beside this model: how many good parts fail is not known.";
  const above = countAbove(good, threshold);
  return `${above} of ${good.length} held-out good images would be called defective.`;
}

function showVerdict(kind, word, reason) {
  $("verdict").dataset.verdict = kind;
  $("word").textContent = word;
  $("reason").textContent = reason;
}

function showRegions() {
  const item = state.shown?.answer ? state.shown : null;
  const found = item && isDefect(item) ? findRegions(item.answer.anomaly_map, state.threshold) : null;
  if (item) drawPicture($("picture"), item, found, state.threshold, state.palette, $("heat").checked);
  const regions = found ? found.regions : [];
  $("regions").replaceChildren(...regions.slice(0, LISTED).map((region) => describeRegion(region, item.answer)));
  $("more").textContent = regions.length > LISTED ? `and ${regions.length - LISTED} more` : "";
}

function describeRegion(region, { image_size: [width, height], anomaly_map: map }) {
  const [across, down] = [width / map.width, height / map.height];
  const line = document.createElement("li");
  const [x, y] = [Math.round(region.x * across), Math.round(region.y * down)];
  const size = `${Math.round(region.width * across)} × ${Math.round(region.height * down)} px`;
  line.textContent = `${write(region.score)} · ${size} at ${x}, ${y}`;
  Object.assign(line.dataset, { x, y, area: Math.round(region.area * across * down), score: region.score });
  return line;
}

function showHistory() {
  const judged = state.items.filter((item) => item.answer);
  $("tally").textContent = judged.length ? `${judged.filter(isDefect).length} of ${judged.length} defective` : "";
  $("history").replaceChildren(...state.items.map(buildThumbnail));
}

function buildThumbnail(item) {
  const button = document.createElement("button");
  const kind = item.error ? "error" : isDefect(item) ? "defect" : "good";
  button.dataset.verdict = kind;
  button.title = item.name;
  button.textContent = { error: "!", defect: "✕", good: "✓" }[kind];
  button.setAttribute("aria-label", `${item.name}: ${kind}`);
  button.setAttribute("aria-pressed", item === state.shown);
  button.addEventListener("click", () => showItem(item));
  return button;
}

function write(score) {
  return Number(score.toPrecision(3)).toString();
}

// The camera.

async function toggleCamera() {
  if (camera.isOn) {
    $("continuous").checked = false;
    camera.stop();
    $("stage").dataset.shows = state.shown?.answer ? "result" : "empty";
  } else {
    await startCamera();
  }
  $("camera").setAttribute("aria-pressed", camera.isOn);
  document.body.dataset.camera = camera.isOn ? "on" : "off";
}

async function startCamera() {
  try {
    await camera.start();
    showLive();
  } catch (error) {
    showVerdict("error", "NO CAMERA", error.message);
  }
}

function showLive() {
  state.shown = null;
  $("stage").dataset.shows = "live";
  $("judge").textContent = "Judge";
  showAll();
}

async function pressShutter() {
  if ($("stage").dataset.shows === "result") return showLive();
  $("judge").disabled = true;
  await judgeBlob(await camera.grab(), nameFrame());
  $("judge").disabled = false;
  $("judge").textContent = "Next";
  return null;
}

// One frame after the other, as fast as they are judged; the last one stays.
async function judgeContinuously() {
  if (state.running) return;
  state.running = true;
  let last = null;
  while ($("continuous").checked && camera.isOn) {
    last = await judgeBlob(await camera.grab(), nameFrame(), last);
    if (!last || last.error) await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  $("judge").textContent = $("stage").dataset.shows === "result" ? "Next" : "Judge";
  state.running = false;
}

function nameFrame() {
  return `camera ${new Date().toLocaleTimeString()}`;
}

// What the user does.

$("model").addEventListener("change", chooseModel);
$("files").addEventListener("change", () => judgeFiles([...$("files").files]));
$("camera").addEventListener("click", toggleCamera);
$("device").addEventListener("change", startCamera);
$("judge").addEventListener("click", pressShutter);
$("continuous").addEventListener("change", judgeContinuously);
$("heat").addEventListener("change", showRegions);
$("threshold").addEventListener("input", () => {
  state.threshold = Number($("threshold").value);
  showThreshold();
});
$("reset").addEventListener("click", () => {
  state.threshold = state.model.threshold;
  showAll();
});
window.addEventListener("resize", () => state.model && showThreshold());
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dragging", kind === "dragover");
    if (kind === "drop") judgeFiles([...event.dataTransfer.files]);
  });
}

const begun = begin();
