"""The AWS CLI, loaded once. Every connection to the socket asks for one command:
its arguments, environment and folder, and the files that it prints to. A fork
runs it and answers with its exit status. It ends with who started it."""

import gc, json, os, select, socket, sys, traceback

from awscli.clidriver import create_clidriver, main


def command(asked):
    text, (out, err), _, _ = socket.recv_fds(asked, 1 << 20, 2)
    while not text.endswith(b"\n"):
        text += asked.recv(1 << 20)
    c = json.loads(text)
    os.environ.clear()
    os.environ.update(v.split("=", 1) for v in c["Env"])
    os.environ["AWS_DATA_PATH"] = data
    os.chdir(c["Dir"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.argv = ["aws", *c["Args"]]
    try:
        code = main()
    except SystemExit as e:
        code = e.code
    except BaseException:
        traceback.print_exc()
        code = 255
    sys.stdout.flush()
    sys.stderr.flush()
    asked.sendall(str(int(code or 0)).encode())


create_clidriver()  # which loads the rest of it
data = os.environ["AWS_DATA_PATH"]  # where it has its own models
gc.freeze()
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
print("ready", flush=True)
while True:
    ready, _, _ = select.select([listener, sys.stdin], [], [], 0.5)
    if sys.stdin in ready:
        os.unlink(sys.argv[1])
        os.rmdir(os.path.dirname(sys.argv[1]))
        os._exit(0)
    if listener in ready:
        asked, _ = listener.accept()
        if os.fork() == 0:
            command(asked)
            os._exit(0)
        asked.close()
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
