"""Runs the handler of a Python function through Lambda's Runtime API."""

import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

# From here on the code comes first, then the layers, and what lies beside this
# file last.
_here = sys.path.pop(0)
_task = os.environ["LAMBDA_TASK_ROOT"]
_layers = os.environ.pop("_LAMBDA_PYTHON_PATH").split(":")
_layers.insert(1, os.path.join(_layers[-1], "lib", "python%d.%d" % sys.version_info[:2], "site-packages"))
sys.path = [_task] + list(dict.fromkeys(_layers)) + [p for p in sys.path if p != _here] + [_here]

JSON_LOG = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


def say(text):
    """Writes one event: a carriage return stands for its line breaks."""
    sys.stdout.write(text.rstrip("\n").replace("\n", "\r") + "\n")
    sys.stdout.flush()


class Api:
    """The Runtime API, over one connection. It is spoken here, since Python's
    own client takes longer to import than most functions run."""

    BASE = "/2018-06-01/runtime/"

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(self.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def call(self, method, path, body=b"", headers=None):
        lines = ["%s %s%s HTTP/1.1" % (method, self.BASE, path), "Host: %s:%d" % self.address, "Content-Length: %d" % len(body)]
        lines += ["%s: %s" % h for h in (headers or {}).items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body)
        status = int(self.file.readline().split(b" ", 2)[1])
        said = {}
        for line in iter(self.file.readline, b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            said[name.lower()] = value.strip()
        answer = self.file.read(int(said["content-length"]))
        if said.get("connection") == "close":
            self.connect()
        return status, said, answer

    def next(self):
        _, headers, body = self.call("GET", "invocation/next")
        return headers, body

    def fail(self, path, kind, body):
        self.call("POST", path + "error", body, {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": kind})


class Members:
    def __init__(self, names, values):
        for name in names:
            setattr(self, name, (values or {}).get(name))


class ClientContext:
    CLIENT = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")

    def __init__(self, said):
        self.custom = said.get("custom")
        self.env = said.get("env")
        self.client = Members(self.CLIENT, said["client"]) if said.get("client") else None


class CognitoIdentity:
    def __init__(self, said):
        self.cognito_identity_id = said.get("cognitoIdentityId")
        self.cognito_identity_pool_id = said.get("cognitoIdentityPoolId")


class LambdaContext:
    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        context = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(context)) if context else None
        self.identity = CognitoIdentity(json.loads(headers.get("lambda-runtime-cognito-identity") or "{}"))
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class Request(logging.Filter):
    """Gives every record the id of the invocation."""

    id = ""

    def filter(self, record):
        record.aws_request_id = Request.id
        return True


class JsonFormatter(logging.Formatter):
    KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "aws_request_id"}

    def format(self, record):
        event = {"timestamp": now(record.created), "level": record.levelname, "message": record.getMessage(), "logger": record.name}
        if record.exc_info:
            kind, error, trace = record.exc_info
            event.update(stackTrace=traceback.format_tb(trace), errorType=kind.__name__, errorMessage=str(error))
        event["requestId"] = record.aws_request_id
        if record.exc_info:
            event["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        event.update((k, v) for k, v in vars(record).items() if k not in self.KNOWN and k not in event)
        return json.dumps(event, ensure_ascii=False, default=str)


class Handler(logging.Handler):
    def emit(self, record):
        say(self.format(record))


def now(at):
    return "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)), at % 1 * 1000)


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    handler = Handler()
    handler.addFilter(Request())
    root = logging.getLogger()
    root.addHandler(handler)
    if not JSON_LOG:
        line = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(logging.Formatter(line, "%Y-%m-%dT%H:%M:%S"))
        return
    handler.setFormatter(JsonFormatter())
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO").upper()
    root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}.get(level, level))


def told(error, request=""):
    """An error as the API wants it, without our own frames."""
    if isinstance(error, Fault):
        return {"errorMessage": str(error), "errorType": error.kind, "requestId": request, "stackTrace": error.trace}
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[0].filename in (__file__, importlib.__file__) or frames and frames[0].filename.startswith("<frozen importlib"):
        frames.pop(0)
    return {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": request, "stackTrace": traceback.format_list(frames)}


def cry(said):
    if JSON_LOG:
        say(json.dumps({"timestamp": now(time.time()), "level": "ERROR", **said}, ensure_ascii=False))
        return
    lines = ["[ERROR] %s: %s" % (said["errorType"], said["errorMessage"]), "Traceback (most recent call last):"]
    for line in "".join(said["stackTrace"]).splitlines():
        text = line.lstrip(" ")
        lines.append("\u00a0" * (len(line) - len(text)) + text)  # as Lambda indents them
    say("\n".join(lines))


class Fault(Exception):
    """What goes wrong before or after the handler."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = "Runtime." + kind
        self.trace = list(trace)


def load(handler):
    """The function that "module.name" stands for."""
    try:
        module, name = handler.rsplit(".", 1)
    except ValueError as e:
        raise Fault("MalformedHandlerName", "Bad handler '%s': %s" % (handler, e))
    if module.split(".")[0] in sys.builtin_module_names:
        raise Fault("BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module)
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as e:
        raise Fault("ImportModuleError", "Unable to import module '%s': %s" % (module, e))
    except SyntaxError as e:
        place = '  File "%s" Line %s\n    %s' % (e.filename, e.lineno, e.text)
        raise Fault("UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module, e), [place])
    try:
        return getattr(loaded, name)
    except AttributeError:
        raise Fault("HandlerNotFound", "Handler '%s' missing on module '%s'" % (name, module))


def plain(value):
    """What json does not know by itself: decimals are numbers."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value.as_tuple().exponent >= 0 else float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


# Since Python 3.12 Lambda leaves the characters of answers as they are.
ASCII = os.environ["AWS_EXECUTION_ENV"] in ("AWS_Lambda_python3.%d" % minor for minor in range(12))


def read(body):
    try:
        return json.loads(body)
    except ValueError as e:
        raise Fault("UnmarshalError", "Unable to unmarshal input: %s" % e)


def written(result):
    if isinstance(result, bytes):
        return result, "application/unknown"
    try:
        return json.dumps(result, default=plain, ensure_ascii=ASCII).encode(), "application/json"
    except Exception as e:
        raise Fault("MarshalError", "Unable to marshal response: %s" % e)


def serve(api, handler):
    headers, body = api.next()
    request = Request.id = headers["lambda-runtime-aws-request-id"]
    path = "invocation/%s/" % request
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
    try:
        answer, kind = written(handler(read(body), LambdaContext(headers)))
    except Exception as e:
        said = told(e, request)
        cry(said)
        api.fail(path, said["errorType"], json.dumps(said).encode())
        return
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    status, _, said = api.call("POST", path + "response", answer, {"Content-Type": kind})
    if status >= 400:
        say("[ERROR] the response was refused: " + said.decode(errors="replace"))


def main():
    sys.stdout.reconfigure(line_buffering=True)
    sys.stderr.reconfigure(line_buffering=True)
    set_up_logging()
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        function = load(os.environ["_HANDLER"])
    except Exception as e:
        said = told(e)
        cry(said)
        api.fail("init/", said["errorType"], json.dumps(said).encode())
        sys.exit(1)
    while True:
        serve(api, function)


if __name__ == "__main__":
    main()
