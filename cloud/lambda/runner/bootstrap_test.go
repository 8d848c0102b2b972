//go:build linux

package runner_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test's own program be the bootstrap of functions.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		bootstrap(os.Getenv("_HANDLER"))
		return
	}
	if dir := os.Getenv("RUNNER_HOST"); dir != "" {
		host(dir, os.Getenv("RUNNER_TASK"))
		return
	}
	os.Exit(m.Run())
}

const runtimePath = "/2018-06-01/runtime/"

func call(method, path string, body io.Reader, header http.Header) *http.Response {
	r, err := http.NewRequest(method, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, body)
	if err != nil {
		panic(err)
	}
	if header != nil {
		r.Header = header
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	return response
}

func bootstrap(handler string) {
	switch handler {
	case "init.exit":
		fmt.Println("not today")
		os.Exit(3)
	case "init.error":
		call("POST", runtimePath+"init/error", strings.NewReader(`{"errorType":"Mine","errorMessage":"no table"}`), http.Header{"Lambda-Runtime-Function-Error-Type": {"Mine"}})
		os.Exit(1)
	case "init.hang":
		select {}
	case "init.extension":
		said, _ := io.ReadAll(call("POST", "/2020-01-01/extension/register", nil, nil).Body)
		fmt.Print(string(said))
	case "child":
		signal.Ignore(syscall.SIGHUP, syscall.SIGTERM)
		select {}
	}
	for n := 1; ; n++ {
		next := call("GET", runtimePath+"invocation/next", nil, nil)
		event, _ := io.ReadAll(next.Body)
		serve(handler, n, next.Header, event, runtimePath+"invocation/"+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/")
	}
}

func serve(handler string, n int, header http.Header, event []byte, path string) {
	answer := func(v any) {
		body, _ := json.Marshal(v)
		_, _ = io.Copy(io.Discard, call("POST", path+"response", bytes.NewReader(body), nil).Body)
	}
	switch handler {
	case "echo":
		answer(json.RawMessage(event))
	case "headers":
		answer(header)
	case "count":
		fmt.Println("call", n)
		answer(n)
	case "environment":
		answer(os.Environ())
	case "files":
		answer(files(event))
	case "exit":
		fmt.Print("no line break")
		os.Exit(7)
	case "answer and exit":
		answer("done")
		os.Exit(0)
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "hang":
		fmt.Println("hanging")
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "_HANDLER=child")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		_ = child.Start()
		select {}
	case "error":
		call("POST", path+"error", strings.NewReader(`{"errorType":"Broken","errorMessage":"it is"}`), http.Header{"Lambda-Runtime-Function-Error-Type": {"Broken"}})
	case "memory":
		var hold [][]byte
		for {
			hold = append(hold, bytes.Repeat([]byte{byte(len(hold) + 1)}, 8<<20))
			time.Sleep(time.Millisecond)
		}
	case "large":
		response := call("POST", path+"response", io.LimitReader(zeroes{}, 6*1024*1024+101), nil)
		fmt.Println(response.Status)
	case "chatter":
		for i := range 2000 {
			fmt.Println("line", i)
		}
		answer(true)
	case "stream", "broken stream":
		stream(path, handler == "broken stream")
	case "web page":
		said := call("GET", runtimePath+"invocation/next", nil, http.Header{"Origin": {"https://example.com"}})
		answer(said.StatusCode)
	case "twice":
		answer(1)
		fmt.Println(call("POST", path+"response", strings.NewReader("2"), nil).Status)
		fmt.Println(call("POST", runtimePath+"invocation/other/response", strings.NewReader("2"), nil).Status)
	default:
		answer("there is no handler " + handler)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// stream answers in two pieces; the second waits until the first has arrived
// at whoever invoked.
func stream(path string, broken bool) {
	reader, writer := io.Pipe()
	r, _ := http.NewRequest("POST", "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path+"response", reader)
	r.Header = http.Header{"Lambda-Runtime-Function-Response-Mode": {"streaming"}, "Content-Type": {"text/plain"}, "Trailer": {"Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"}}
	r.Trailer = http.Header{"Lambda-Runtime-Function-Error-Type": nil, "Lambda-Runtime-Function-Error-Body": nil}
	go func() {
		_, _ = io.WriteString(writer, "one ")
		if broken {
			r.Trailer.Set("Lambda-Runtime-Function-Error-Type", "Torn")
			r.Trailer.Set("Lambda-Runtime-Function-Error-Body", base64.StdEncoding.EncodeToString([]byte(`{"errorType":"Torn","errorMessage":"in the middle"}`)))
		} else {
			for { // until the reader of the first piece has made this file
				if _, err := os.Stat(os.Getenv("SIGNAL")); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
			_, _ = io.WriteString(writer, "two")
		}
		_ = writer.Close()
	}()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
}

// files tells the contents of the files that the event names, and writes those
// it names with a text.
func files(event []byte) map[string]string {
	var wanted map[string]string
	_ = json.Unmarshal(event, &wanted)
	said := map[string]string{}
	for name, text := range wanted {
		name = os.ExpandEnv(name)
		if text != "" {
			said[name] = fmt.Sprint(os.WriteFile(name, []byte(text), 0o600))
			continue
		}
		content, err := os.ReadFile(name)
		said[name] = string(content)
		if err != nil {
			said[name] = err.Error()
		}
	}
	return said
}
