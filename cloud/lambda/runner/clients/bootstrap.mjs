// Runs the handler of a Node.js function through Lambda's Runtime API.
import { statSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';

const env = process.env;
const base = '/2018-06-01/runtime/';
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
const jsonLog = env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
// Since Node.js 24 there are no callbacks, and what a handler returns counts.
const modern = Number(/nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV)[1]) >= 24;
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');
let request; // the id of the invocation
let idle = () => {}; // called when nothing is left to be done

// What the Runtime API is asked.

function call(method, name, headers = {}) {
  return http.request({ host, port, agent, method, path: base + name, headers });
}

function ask(method, name, body, headers) {
  return new Promise((resolve, reject) => {
    const out = call(method, name, body === undefined ? headers : { ...headers, 'Content-Length': Buffer.byteLength(body) });
    out.on('error', reject).on('response', (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    out.end(body);
  });
}

function tellError(name, error) {
  const body = JSON.stringify(error);
  return ask('POST', name + 'error', body, { 'Content-Type': 'application/json', 'Lambda-Runtime-Function-Error-Type': header(error.errorType) });
}

const header = (text) => String(text).replace(/[^\x20-\x7e]/g, '?');

// What is written. A carriage return stands for the line breaks of an event.

function say(text) {
  process.stdout.write(text.replace(/\n/g, '\r') + '\n');
}

function write(level, ...values) {
  const at = new Date().toISOString();
  if (!jsonLog) {
    say(`${at}\t${request}\t${level}\t${util.format(...values)}`);
    return;
  }
  const event = { timestamp: at, level, requestId: request };
  const error = values.find((v) => v instanceof Error);
  event.message = values.length === 1 && !error && typeof values[0] === 'object' ? values[0] : util.format(...values);
  if (error) Object.assign(event, { errorType: error.name, errorMessage: error.message, stackTrace: lines(error) });
  try {
    say(JSON.stringify(event));
  } catch { // it refers to itself
    say(JSON.stringify({ ...event, message: util.format(...values) }));
  }
}

function patchConsole() {
  const order = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const least = jsonLog ? order.indexOf((env.AWS_LAMBDA_LOG_LEVEL || 'INFO').toUpperCase()) : 0;
  const levels = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
  for (const [name, level] of Object.entries(levels)) {
    console[name] = order.indexOf(level) >= least ? (...values) => write(level, ...values) : () => {};
  }
}

// Errors, as the API and the log have them.

const lines = (error) => String(error.stack || '').split('\n');

function told(error) {
  try {
    if (util.types.isNativeError(error) || (error?.name && error.message && error.stack)) {
      return { errorType: error.name, errorMessage: error.message, trace: lines(error) };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return { errorType: 'handled', errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack', trace: [] };
  }
}

// cry writes an error with all that it carries.
function cry(what, error) {
  const whole = (_, value) => (value instanceof Error
    ? { errorType: value.name, errorMessage: value.message, code: value.code, ...value, stack: value.stack && lines(value) }
    : value);
  let text;
  try {
    text = JSON.stringify(error, whole);
  } catch { // it refers to itself
    text = JSON.stringify(told(error));
  }
  if (jsonLog) write('ERROR', error);
  else write('ERROR', `${what} \t${text}`);
}

function fault(name, message, stack) {
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: `Runtime.${name}` });
  error.stack = stack ?? `${error.name}: ${message}`;
  return error;
}

// The function.

async function load(name) {
  if (name.includes('..')) throw fault('MalformedHandlerName', `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  const [, file, members] = /^([^.]*)\.(.*)$/.exec(path.basename(name)) ?? [];
  if (members === undefined) throw fault('MalformedHandlerName', 'Bad handler');
  const find = (object) => members.split('.').reduce((at, key) => at?.[key], object);
  const module = await loadModule(path.dirname(name), file);
  const handler = find(module) ?? find(module?.default);
  if (!handler) throw fault('HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw fault('HandlerNotFound', `${name} is not a function`);
  if (modern && handler.length >= 3 && !handler[streaming]) {
    throw fault('CallbackHandlerDeprecated', 'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  return handler;
}

const require = createRequire(path.join(env.LAMBDA_TASK_ROOT, 'index.js'));

// loadModule takes a file of the code, or else a module of that name.
async function loadModule(folder, name) {
  const root = env.LAMBDA_TASK_ROOT;
  const stem = path.resolve(root, folder, name);
  try {
    for (const end of ['', '.js', '.mjs', '.cjs']) {
      if (statSync(stem + end, { throwIfNoEntry: false })?.isFile()) return await fetchModule(stem + end);
    }
    return require(require.resolve(name, { paths: [root, path.resolve(root, folder)] }));
  } catch (error) {
    if (error instanceof SyntaxError) throw fault('UserCodeSyntaxError', String(error), error.stack);
    if (error?.code === 'MODULE_NOT_FOUND') throw fault('ImportModuleError', String(error));
    throw error;
  }
}

async function fetchModule(file) {
  if (file.endsWith('.mjs')) return import(pathToFileURL(file));
  try {
    return require(file);
  } catch (error) {
    if (!['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'].includes(error?.code)) throw error;
    return import(pathToFileURL(file));
  }
}

// The response of a streaming handler: it is opened by its first byte.
class ResponseStream extends require('node:stream').Writable {
  #out;
  #type = 'application/octet-stream';
  #prelude;

  constructor(id) {
    super({ highWaterMark: 65536 });
    this.id = id;
  }

  setContentType(type) { this.#type = type; }

  prelude(type, bytes) {
    this.#type = type;
    this.#prelude = bytes;
  }

  open() {
    if (this.#out) return this.#out;
    this.#out = call('POST', `invocation/${this.id}/response`, {
      'Content-Type': this.#type, 'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked',
      Trailer: ['Lambda-Runtime-Function-Error-Type', 'Lambda-Runtime-Function-Error-Body'],
    });
    this.accepted = new Promise((resolve) => {
      this.#out.on('response', (response) => response.resume().on('end', resolve)).on('error', resolve);
    });
    this.#out.flushHeaders();
    if (this.#prelude) this.#out.write(this.#prelude);
    return this.#out;
  }

  get opened() { return this.#out !== undefined; }

  _write(chunk, encoding, done) { this.open().write(chunk, encoding, () => done()); }

  _final(done) {
    this.open().end();
    this.accepted.then(() => done());
  }

  // fail ends the stream with an error in its trailers.
  async fail(error) {
    const body = Buffer.from(JSON.stringify(told(error))).toString('base64');
    this.open().addTrailers({ 'Lambda-Runtime-Function-Error-Type': header(told(error).errorType), 'Lambda-Runtime-Function-Error-Body': body });
    this.#out.end();
    await this.accepted;
  }

  write(chunk, ...rest) {
    const plain = typeof chunk !== 'string' && !(chunk instanceof Uint8Array);
    return super.write(plain ? JSON.stringify(chunk) : chunk, ...rest);
  }
}

globalThis.awslambda = {
  streamifyResponse(handler) {
    handler[streaming] = 'response';
    return handler;
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream.prelude('application/vnd.awslambda.http-integration-response', Buffer.concat([Buffer.from(JSON.stringify(prelude)), Buffer.alloc(8)]));
      return stream;
    },
  },
};

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const parsed = (text) => (text ? JSON.parse(text) : undefined);
  return {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers['lambda-runtime-client-context']),
    identity: parsed(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// run gives an event to the handler and resolves to its result: what it
// returns, what it says to a callback, or nothing, when nothing is left to do.
function run(handler, event, context) {
  if (modern) return exits(handler(event, context));
  return new Promise((resolve, reject) => {
    const settle = (error, result) => (error === undefined || error === null ? resolve(result) : reject(error));
    let called = false;
    const callback = (error, result) => {
      if (called) return;
      called = true;
      if (error || !context.callbackWaitsForEmptyEventLoop) settle(error, result);
      else idle = () => setImmediate(settle, null, result);
    };
    Object.assign(context, {
      callbackWaitsForEmptyEventLoop: true, done: settle, succeed: resolve, fail: (error) => reject(error ?? 'handled'),
    });
    idle = () => (handler.constructor?.name === 'AsyncFunction' ? reject(neverSettled()) : resolve(null));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === 'function') returned.then(resolve, reject);
  });
}

// exits is a promise that fails when nothing is left that could settle it.
function exits(value) {
  return new Promise((resolve, reject) => {
    idle = () => reject(neverSettled());
    Promise.resolve(value).then(resolve, reject);
  });
}

const neverSettled = () => fault('NodeJsExit', 'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes');

// stream runs a streaming handler and waits until its response is through.
async function stream(handler, event, context, out) {
  const returned = handler(event, out, context);
  if (typeof returned?.then !== 'function') throw 'Streaming does not support non-async handlers.';
  const result = await exits(returned);
  if (result !== undefined) console.warn('Streaming handlers ignore return values.');
  await new Promise((resolve, reject) => {
    idle = () => reject('Response stream is not finished.');
    if (out.writableFinished) resolve();
    out.on('finish', resolve).on('error', reject);
  });
}

process.on('beforeExit', () => idle());

async function serve(handler) {
  const { headers, body } = await ask('GET', 'invocation/next');
  request = headers['lambda-runtime-aws-request-id'];
  env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  const out = handler[streaming] ? new ResponseStream(request) : undefined;
  const name = `invocation/${request}/`;
  try {
    const event = JSON.parse(body);
    if (out) {
      await stream(handler, event, contextOf(headers), out);
      return;
    }
    const result = serialized(await run(handler, event, contextOf(headers)));
    const answer = await ask('POST', name + 'response', result, { 'Content-Type': 'application/json' });
    if (answer.status >= 400) write('ERROR', `the response was refused: ${answer.body}`);
  } catch (error) {
    cry('Invoke Error', error);
    if (out?.opened) await out.fail(error);
    else await tellError(name, told(error));
  } finally {
    idle = () => {};
  }
}

function serialized(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch {
    throw fault('JSONStringifyError', 'Unable to stringify response body');
  }
}

// An error that nobody caught ends the process, after the invocation has got it.
async function fatal(what, error, code) {
  cry(what, error);
  try {
    await tellError(request ? `invocation/${request}/` : 'init/', told(error));
  } finally {
    process.exit(code);
  }
}

process.on('uncaughtException', (error) => fatal('Uncaught Exception', error, 129));
process.on('unhandledRejection', (reason, promise) => {
  const message = String(reason);
  const stack = reason?.stack ? `Runtime.UnhandledPromiseRejection: ${message}\n${lines(reason).slice(1).join('\n')}` : undefined;
  fatal('Unhandled Promise Rejection', Object.assign(fault('UnhandledPromiseRejection', message, stack), { reason, promise }), 128);
});

patchConsole();
let handler;
try {
  handler = await load(env._HANDLER);
} catch (error) {
  cry('Uncaught Exception', error);
  await tellError('init/', told(error));
  process.exit(1);
}
while (true) await serve(handler);
