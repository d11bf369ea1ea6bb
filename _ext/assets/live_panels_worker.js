// Runs the book's own package in Pyodide, away from the page, and answers what it asks.
import { loadPyodide } from "./pyodide.mjs";

const HERE = new URL(".", import.meta.url).href;
const EMPTY = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);  // the smallest module there is
let loaded = 0;

const fail = (error) => postMessage({failed: String((error && error.message) || error)});

// Counts what arrives, so that the page can show how far it has come.
const plain = self.fetch.bind(self);
self.fetch = async (...asked) => {
  // Pyodide waits for ever for a file that does not come.
  const response = await plain(...asked).catch((error) => { fail(error); throw error; });
  if (!response.ok) fail(`${response.url}: ${response.status}`);
  if (!response.ok || !response.body) return response;
  const counted = response.body.pipeThrough(new TransformStream({
    transform(chunk, on) {
      loaded += chunk.byteLength;
      postMessage({loaded});
      on.enqueue(chunk);
    },
  }));
  return new Response(counted, {headers: response.headers, status: response.status});
};

const started = (async () => {
  new WebAssembly.Module(EMPTY);  // throws where a policy forbids it
  const [python, archive] = await Promise.all([
    loadPyodide({indexURL: HERE, packageBaseUrl: HERE, checkAPIVersion: true}),
    fetch(`${HERE}cohort.zip`).then((response) => response.arrayBuffer()),
  ]);
  python.unpackArchive(archive, "zip", {extractDir: "/lib/book"});
  python.runPython('import sys; sys.path.insert(0, "/lib/book"); from cohort.panels import live');
  return {
    respond: python.runPython("live.respond"),
    names: python.runPython("live.names"),
  };
})();

started.then(() => postMessage({ready: true}), fail);

onmessage = async ({data}) => {
  try {
    const {respond, names} = await started;
    if (data.names) postMessage({names: names()});
    else postMessage({id: data.id, told: respond(data.text)});
  } catch (error) {
    postMessage({id: data.id, failed: String((error && error.message) || error)});
  }
};
