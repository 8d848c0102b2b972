package lambda

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
	"ouro/regex"
)

const latest = "$LATEST"

// The patterns of AWS's model, as its messages show them.
var (
	functionPattern  = regex.New(`^(?:(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?)$`)
	qualifierPattern = regex.New(`^(?:\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+)$`)
)

// locator is what a FunctionName may tell: a name, NAME:QUALIFIER,
// ACCOUNT:function:NAME, or an ARN.
type locator struct {
	region, account string // empty where it does not tell
	name, qualifier string
	bare            bool // it is a name and nothing else
}

func readLocator(text string) (locator, bool) {
	m := functionPattern().FindStringSubmatch(text)
	if m == nil {
		return locator{}, false
	}
	l := locator{region: strings.TrimSuffix(m[3], ":"), account: strings.TrimSuffix(m[9], ":"), name: m[11], qualifier: m[13]}
	l.bare = l.name == text
	return l, true
}

// target is a function that a request is about.
type target struct {
	scope     store.Scope
	name      string
	qualifier string // empty where the request has none
}

func (t target) arn() string {
	return functionARN(t.scope, t.name)
}

// qualified is the ARN with the qualifier, if there is one.
func (t target) qualified() string {
	if t.qualifier == "" {
		return t.arn()
	}
	return t.arn() + ":" + t.qualifier
}

func functionARN(scope store.Scope, name string) string {
	return door.Caller{Account: scope.Account, Region: scope.Region}.ResourceARN("lambda", "function:"+name)
}

// maxName is the length of a FunctionName in most operations; CreateFunction
// takes less.
const maxName = 170

// locate reads a request's FunctionName and Qualifier. What is another
// account's is found too: see permit.
func locate(ctx context.Context, name, qualifier *string) (target, error) {
	c := door.CallerFrom(ctx)
	var v violations
	v.present("functionName", name != nil)
	v.text("functionName", name, 1, maxName, functionPattern())
	v.text("qualifier", qualifier, 1, 128, qualifierPattern())
	if err := v.err(); err != nil {
		return target{}, err
	}
	l, _ := readLocator(*name)
	if l.region != "" && l.region != c.Region {
		return target{}, notFound("Functions from '%s' are not reachable in this region ('%s')", l.region, c.Region)
	}
	if qualifier != nil && l.qualifier != "" && *qualifier != l.qualifier {
		return target{}, invalid("The derived qualifier from the function name does not match the specified qualifier.")
	}
	t := target{scope: c.Scope(), name: l.name, qualifier: l.qualifier}
	if l.account != "" {
		t.scope.Account = l.account
	}
	if qualifier != nil {
		t.qualifier = *qualifier
	}
	return t, nil
}

// own is locate for operations that concern the caller's own functions only.
func own(ctx context.Context, name, qualifier *string) (target, error) {
	t, err := locate(ctx, name, qualifier)
	if err == nil && t.scope.Account != door.CallerFrom(ctx).Account {
		err = &wire.Error{Code: "AccessDeniedException", Status: 403}
	}
	return t, err
}

// isVersion tells a qualifier that is a number from an alias.
func isVersion(qualifier string) bool {
	return strings.Trim(qualifier, "0123456789") == ""
}

// versionKey names a version in the store, so that versions sort by number.
func versionKey(name, number string) string {
	if number == latest || number == "" {
		return name + ":" + latest
	}
	return name + ":" + strings.Repeat("0", max(0, 12-len(number))) + number
}

// qualifiedKey names what belongs to one qualifier of a function.
func qualifiedKey(name, qualifier string) string {
	if qualifier == "" {
		qualifier = latest
	}
	return name + ":" + qualifier
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func mark(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

func unmark(marker string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(marker)
	if err != nil {
		return "", invalid("Invalid marker")
	}
	return string(b), nil
}
