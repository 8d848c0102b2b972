package report

import (
	"strings"
	"time"
)

// junit reads JUnit's XML. Suites may hold suites.
func junit(root *element) (Result, error) {
	var out Result
	take := func(suite, e *element) {
		if e.name != "testcase" {
			return
		}
		c := Case{Suite: suite.attr("name"), Prefix: e.attr("classname"), Name: e.attr("name"), Status: Succeeded, Duration: seconds(e.attr("time"))}
		for _, kind := range []struct {
			name   string
			status Status
		}{{"error", Errored}, {"failure", Failed}, {"skipped", Skipped}} {
			if why := e.child(kind.name); why != nil {
				c.Status, c.Message = kind.status, message(why.attr("message"), string(why.text))
				break
			}
		}
		out.Cases = append(out.Cases, c)
	}
	root.walk(take)
	return out, nil
}

var nunitStatus = map[string]Status{
	"Success": Succeeded, "Failure": Failed, "Error": Errored, "Cancelled": Errored, "NotRunnable": Errored,
	"Inconclusive": Unknown, "Ignored": Skipped, "Skipped": Skipped, "Passed": Succeeded, "Failed": Failed, "Warning": Succeeded,
}

func known(table map[string]Status, word string) Status {
	if s, ok := table[word]; ok {
		return s
	}
	return Unknown
}

// nunit2 reads the XML of NUnit 2: test-suite/results/test-case.
func nunit2(root *element) (Result, error) {
	var out Result
	var visit func(suite string, e *element)
	visit = func(suite string, e *element) {
		for _, c := range e.children {
			switch c.name {
			case "test-suite":
				visit(c.attr("name"), c)
			case "results":
				visit(suite, c)
			case "test-case":
				status := known(nunitStatus, c.attr("result"))
				if c.attr("result") == "" { // before NUnit 2.5
					status = map[string]Status{"True": Succeeded, "False": Failed}[c.attr("success")]
					if c.attr("executed") == "False" {
						status = Skipped
					}
				}
				if status == "" {
					status = Unknown
				}
				prefix, name := cutName(c.attr("name"))
				out.Cases = append(out.Cases, Case{Suite: suite, Prefix: prefix, Name: name, Status: status, Duration: seconds(c.attr("time")),
					Message: message(c.at("failure", "message"), c.at("failure", "stack-trace"), c.at("reason", "message"))})
			}
		}
	}
	visit("", root)
	return out, nil
}

// cutName takes a full name apart at the last dot before its arguments.
func cutName(full string) (prefix, name string) {
	head, _, _ := strings.Cut(full, "(")
	if at := strings.LastIndexByte(head, '.'); at >= 0 {
		return full[:at], full[at+1:]
	}
	return "", full
}

// nunit3 reads the XML of NUnit 3.
func nunit3(root *element) (Result, error) {
	var out Result
	root.walk(func(suite, e *element) {
		if e.name != "test-case" {
			return
		}
		status := known(nunitStatus, e.attr("result"))
		if e.attr("label") == "Error" {
			status = Errored
		}
		out.Cases = append(out.Cases, Case{Suite: suite.attr("name"), Prefix: e.attr("classname"), Name: e.attr("name"), Status: status, Duration: seconds(e.attr("duration")),
			Message: message(e.at("failure", "message"), e.at("failure", "stack-trace"), e.at("reason", "message"))})
	})
	return out, nil
}

var testNGStatus = map[string]Status{"PASS": Succeeded, "FAIL": Failed, "SKIP": Skipped}

// testNG reads TestNG's XML. Methods that set up and clear away are no tests.
func testNG(root *element) (Result, error) {
	var out Result
	var suite string
	root.walk(func(above, e *element) {
		switch {
		case e.name == "suite":
			suite = e.attr("name")
		case e.name == "test-method" && e.attr("is-config") != "true":
			ms := count(e.attr("duration-ms"))
			out.Cases = append(out.Cases, Case{Suite: suite, Prefix: above.attr("name"), Name: e.attr("name"), Status: known(testNGStatus, e.attr("status")),
				Duration: time.Duration(ms) * time.Millisecond, Message: message(e.at("exception", "message"), e.at("exception", "full-stacktrace"))})
		}
	})
	return out, nil
}

var trxStatus = map[string]Status{
	"Passed": Succeeded, "PassedButRunAborted": Succeeded, "Warning": Succeeded, "Completed": Succeeded,
	"Failed": Failed, "Error": Errored, "Timeout": Errored, "Aborted": Errored, "Disconnected": Errored, "NotRunnable": Errored,
	"NotExecuted": Skipped, "Pending": Skipped, "Inconclusive": Unknown,
}

// trx reads the results of Visual Studio's test runner. The class of a test
// stands at its definition.
func trx(root *element) (Result, error) {
	classes := map[string]string{}
	suite := root.attr("name")
	root.walk(func(above, e *element) {
		if e.name == "TestMethod" && above.name == "UnitTest" {
			class, _, _ := strings.Cut(e.attr("className"), ",") // the assembly follows
			classes[above.attr("id")] = class
		}
	})
	var out Result
	root.walk(func(_, e *element) {
		if e.name != "UnitTestResult" {
			return
		}
		prefix := cut(classes[e.attr("testId")], MaxName)
		out.Cases = append(out.Cases, Case{Suite: suite, Prefix: prefix, Name: strings.TrimPrefix(e.attr("testName"), prefix+"."), Status: known(trxStatus, e.attr("outcome")),
			Duration: clock(e.attr("duration")), Message: message(e.at("Output", "ErrorInfo", "Message"), e.at("Output", "ErrorInfo", "StackTrace"))})
	})
	return out, nil
}

// clock reads hours:minutes:seconds.
func clock(text string) time.Duration {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0
	}
	return time.Duration(count(parts[0]))*time.Hour + time.Duration(count(parts[1]))*time.Minute + seconds(parts[2])
}
