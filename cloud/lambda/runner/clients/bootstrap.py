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
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class Formatter(logging.Formatter):
    """The lines of the logging module as Lambda writes them."""

    converter = time.gmtime
    request = ""

    def format(self, record):
        at = "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)), record.msecs)
        if not JSON_LOG:
            text = "[%s]\t%s\t%s\t%s" % (record.levelname, at, Formatter.request, record.getMessage())
            if record.exc_info:
                text += "\n" + self.formatException(record.exc_info)
            return text
        event = {"timestamp": at[:-5] + "Z", "level": record.levelname, "message": record.getMessage(), "logger": record.name, "requestId": Formatter.request}
        if record.exc_info:
            event["errorType"] = record.exc_info[0].__name__
            event["errorMessage"] = str(record.exc_info[1])
            event["stackTrace"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(event, default=str)


class Handler(logging.Handler):
    def emit(self, record):
        say(self.format(record))


def told(error, kind=None, request=None):
    """An error as the API wants it, without our own frames."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__ and not f.filename.startswith("<frozen importlib")]
    said = {"errorMessage": str(error), "errorType": kind or type(error).__name__}
    if request is not None:
        said["requestId"] = request
    said["stackTrace"] = traceback.format_list(frames)
    return said


def cry(said):
    if JSON_LOG:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        say(json.dumps({"timestamp": at, "level": "ERROR", "message": said["errorMessage"], "logger": "root", "requestId": Formatter.request, **said}))
        return
    text = "[ERROR] %s: %s" % (said["errorType"], said["errorMessage"])
    if said["stackTrace"]:
        text += "\nTraceback (most recent call last):\n" + "".join(said["stackTrace"])
    say(text)


class LoadError(Exception):
    def __init__(self, kind, message, cause=None):
        super().__init__(message)
        self.kind = kind
        self.__traceback__ = cause.__traceback__ if cause else None


def load(handler):
    """The function that "module.name" stands for."""
    try:
        module, name = handler.rsplit(".", 1)
    except ValueError:
        raise LoadError("Runtime.MalformedHandlerName", "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % handler)
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as e:
        raise LoadError("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module, e), e)
    except SyntaxError as e:
        place = ['  File "%s" Line %s\n    %s' % (e.filename, e.lineno, (e.text or "").strip())]
        failed = LoadError("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module, e))
        failed.place = place
        raise failed
    try:
        return getattr(loaded, name)
    except AttributeError:
        raise LoadError("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (name, module))


def plain(value):
    """What json does not know by itself: decimals are numbers."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def serve(api, handler):
    headers, body = api.next()
    request = Formatter.request = headers["lambda-runtime-aws-request-id"]
    path = "invocation/%s/" % request
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
    try:
        try:
            event = json.loads(body)
        except ValueError as e:
            raise LoadError("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e)
        result = handler(event, LambdaContext(headers))
        try:
            answer = json.dumps(result, default=plain).encode()
        except (TypeError, ValueError) as e:
            raise LoadError("Runtime.MarshalError", "Unable to marshal response: %s" % e)
    except SystemExit:
        raise
    except BaseException as e:
        kind = getattr(e, "kind", None) if isinstance(e, LoadError) else None
        said = told(e, kind, request)
        cry(said)
        api.fail(path, said["errorType"], json.dumps(said).encode())
        return
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    status, _, said = api.call("POST", path + "response", answer, {"Content-Type": "application/json"})
    if status >= 400:
        say("[ERROR] the response was refused: " + said.decode(errors="replace"))


def main():
    sys.stdout.reconfigure(line_buffering=True)
    sys.stderr.reconfigure(line_buffering=True)
    handler = Handler()
    handler.setFormatter(Formatter())
    logging.getLogger().addHandler(handler)
    if JSON_LOG:
        logging.getLogger().setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO").replace("TRACE", "NOTSET").replace("FATAL", "CRITICAL"))
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        function = load(os.environ["_HANDLER"])
    except SystemExit:
        raise
    except BaseException as e:
        said = told(e, getattr(e, "kind", None), "")
        if isinstance(e, LoadError) and hasattr(e, "place"):
            said["stackTrace"] = e.place
        cry(said)
        api.fail("init/", said["errorType"], json.dumps(said).encode())
        sys.exit(1)
    while True:
        serve(api, function)


if __name__ == "__main__":
    # Code that imports __main__, or pickles, finds what it expects.
    main()
