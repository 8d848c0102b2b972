// Runs the handler of a Node.js function through Lambda's Runtime API.
import { existsSync } from 'node:fs';
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
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');
let request = ''; // the id of the invocation
let trial = null; // the invocation, until it is answered

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
  if (!(error instanceof Error) && !(error && error.name && error.message && error.stack)) {
    return { errorType: error === null ? 'object' : typeof error, errorMessage: String(error && typeof error === 'object' ? util.inspect(error) : error), trace: [] };
  }
  return { errorType: error.name, errorMessage: error.message, trace: lines(error) };
}

function cry(what, error) {
  const { errorType, errorMessage } = told(error);
  const rest = error instanceof Error ? { ...error } : {};
  const stack = error && error.stack ? lines(error) : undefined;
  write('ERROR', `${what} \t${JSON.stringify({ errorType, errorMessage, ...rest, stack })}`);
}

function lambdaError(name, message) {
  const error = new Error(message);
  error.name = name;
  error.stack = `${name}: ${message}`;
  return error;
}

// The function.

async function load(name) {
  const folder = env.LAMBDA_TASK_ROOT;
  const m = /^(.*?)([^/.][^/.]*)\.([^/]+)$/.exec(name);
  if (!m || name.includes('..')) {
    throw lambdaError('Runtime.MalformedHandlerName', name.includes('..') ? `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.` : 'Bad handler');
  }
  const stem = path.resolve(folder, m[1], m[2]);
  const file = ['', '.js', '.mjs', '.cjs'].map((end) => stem + end).find((f) => existsSync(f) && !/[/\\]$/.test(f) && isFile(f));
  if (!file) {
    throw lambdaError('Runtime.ImportModuleError', `Error: Cannot find module '${m[1]}${m[2]}'\nRequire stack:\n- ${path.join(env.LAMBDA_RUNTIME_DIR, 'index.mjs')}`);
  }
  let handler;
  try {
    handler = await fetchModule(file);
  } catch (error) {
    if (error instanceof SyntaxError) throw Object.assign(lambdaError('Runtime.UserCodeSyntaxError', String(error)), { stack: error.stack });
    if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) throw lambdaError('Runtime.ImportModuleError', `Error: ${error.message}`);
    throw error;
  }
  for (const part of m[3].split('.')) handler = handler && (handler[part] ?? handler.default?.[part]);
  if (handler === undefined) throw lambdaError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw lambdaError('Runtime.HandlerNotFound', `${name} is not a function`);
  return handler;
}

const require = createRequire(path.join(env.LAMBDA_TASK_ROOT, 'index.js'));
const isFile = (file) => require('node:fs').statSync(file).isFile();

async function fetchModule(file) {
  if (file.endsWith('.mjs')) return import(pathToFileURL(file));
  try {
    return require(file);
  } catch (error) {
    if (!['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'].includes(error?.code) && !esmSyntax(error)) throw error;
    return import(pathToFileURL(file));
  }
}

// Files with a module's syntax under a package that does not say so are
// modules since Node.js 22; import() of an older one says why not.
const esmSyntax = (error) => error instanceof SyntaxError && /Cannot use import statement|Unexpected token 'export'/.test(error.message) && Number(process.versions.node.split('.')[0]) >= 22;

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

function contextOf(headers, settle) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const parsed = (text) => (text ? JSON.parse(text) : undefined);
  const context = {
    callbackWaitsForEmptyEventLoop: true,
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
  context.done = (error, result) => {
    context.callbackWaitsForEmptyEventLoop = false;
    settle(error, result);
  };
  context.succeed = (result) => context.done(null, result);
  context.fail = (error) => context.done(error ?? new Error('handled'));
  return context;
}

// run gives an event to the handler and resolves to its result: a promise's, a
// callback's, or nothing, when nothing is left to be done.
function run(handler, event, headers, stream) {
  return new Promise((resolve, reject) => {
    let waiting;
    const settle = (error, result) => (error !== undefined && error !== null ? reject(error) : resolve(result));
    const context = contextOf(headers, settle);
    const callback = (error, result) => {
      if (!context.callbackWaitsForEmptyEventLoop) settle(error, result);
      else waiting ??= () => settle(error, result);
    };
    trial = { idle: () => (waiting ? waiting() : resolve(null)) };
    const returned = stream ? handler(event, stream, context) : handler(event, context, callback);
    if (typeof returned?.then === 'function') {
      trial.idle = () => (waiting ? waiting() : reject(lambdaError('Runtime.NodeJsExit', 'The Lambda function exited before its promise was settled')));
      returned.then(resolve, reject);
    }
  });
}

process.on('beforeExit', () => trial?.idle());

async function serve(handler) {
  const { headers, body } = await ask('GET', 'invocation/next');
  request = headers['lambda-runtime-aws-request-id'];
  env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  const stream = handler[streaming] ? new ResponseStream(request) : undefined;
  const name = `invocation/${request}/`;
  try {
    const result = await run(handler, JSON.parse(body), headers, stream);
    trial = null;
    if (stream) {
      await end(stream);
      return;
    }
    const answer = await ask('POST', name + 'response', serialized(result), { 'Content-Type': 'application/json' });
    if (answer.status >= 400) write('ERROR', `the response was refused: ${answer.body}`);
  } catch (error) {
    trial = null;
    cry('Invoke Error', error);
    if (stream?.opened) await stream.fail(error);
    else await tellError(name, told(error));
  }
}

// end waits for a stream that its handler has ended, and ends one that it has
// not.
function end(stream) {
  return new Promise((resolve, reject) => {
    if (stream.writableFinished) return resolve();
    stream.on('finish', resolve).on('error', reject);
    if (!stream.writableEnded) stream.end();
  });
}

function serialized(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch {
    throw lambdaError('Runtime.MarshalError', 'Unable to stringify response body');
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
  const error = Object.assign(lambdaError('Runtime.UnhandledPromiseRejection', String(reason)), { reason: told(reason), promise: {} });
  if (reason?.stack) error.stack = `${error.name}: ${error.message}\n${lines(reason).slice(1).join('\n')}`;
  fatal('Unhandled Promise Rejection', error, 128);
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
