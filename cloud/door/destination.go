package door

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"ouro/cloud/wire"
)

// credential is what a request's signature says of itself.
type credential struct {
	accessKey, region, service string
}

// maxForm bounds the form of a query request, in bytes: a template of 1 MB
// and its parameters fit.
const maxForm = 16 << 20

// formType is the media type of a query request.
const formType = "application/x-www-form-urlencoded"

// destination tells which service a request is for, in the order in which
// AWS's clients are unmistakable: the signature's scope, the X-Amz-Target
// header, the path of an RPC, the version in a query request's form, the host; what is left is
// S3's.
func (d *Door) destination(w http.ResponseWriter, r *http.Request) (string, credential, error) {
	cred := readCredential(r)
	if part := divided[cred.service]; part.prefix != "" && strings.HasPrefix(r.URL.Path, part.prefix) {
		return part.service, cred, nil
	}
	if name, ok := d.byScope[cred.service]; ok {
		return name, cred, nil
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, _, _ := cutLast(target, '.')
		if name, ok := d.byTarget[prefix]; ok {
			return name, cred, nil
		}
		if cred.service == "" {
			return "", cred, errors.New("the local cloud has no service with the target " + target)
		}
	}
	if cred.service != "" {
		return cred.service, cred, nil
	}
	if wire.IsRPC(r) {
		target, _ := wire.RPCTarget(r)
		if name, ok := d.byTarget[target]; ok {
			return name, cred, nil
		}
		return "", cred, fmt.Errorf("the local cloud has no service with the target %s", target)
	}
	if r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), formType) || r.URL.Query().Has("Action") {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return "", cred, err
		}
		if name, ok := d.byVersion[r.Form.Get("Version")]; ok {
			return name, cred, nil
		}
	}
	return "s3", cred, nil
}

// readCredential reads the credential scope of Signature Version 4 and 4A, or
// the key id of version 2, from the header or a presigned URL.
func readCredential(r *http.Request) credential {
	auth := r.Header.Get("Authorization")
	q := r.URL.RawQuery
	switch {
	case strings.HasPrefix(auth, "AWS4-"):
		_, scope, _ := strings.Cut(auth, "Credential=")
		scope, _, _ = strings.Cut(scope, ",")
		return parseScope(strings.TrimSpace(scope), r.Header.Get("X-Amz-Region-Set"))
	case strings.HasPrefix(auth, "AWS "):
		key, _, _ := strings.Cut(strings.TrimPrefix(auth, "AWS "), ":")
		return credential{accessKey: key, service: "s3"}
	case strings.Contains(q, "X-Amz-Credential="):
		values := r.URL.Query()
		return parseScope(values.Get("X-Amz-Credential"), values.Get("X-Amz-Region-Set"))
	case strings.Contains(q, "AWSAccessKeyId="):
		return credential{accessKey: r.URL.Query().Get("AWSAccessKeyId"), service: "s3"}
	}
	return credential{}
}

// parseScope reads KEY/DATE/REGION/SERVICE/aws4_request; version 4A has no
// region there.
func parseScope(scope, regionSet string) credential {
	parts := strings.Split(scope, "/")
	switch len(parts) {
	case 5:
		return credential{accessKey: parts[0], region: parts[2], service: parts[3]}
	case 4:
		region, _, _ := strings.Cut(regionSet, ",")
		return credential{accessKey: parts[0], region: strings.Trim(region, "*"), service: parts[2]}
	}
	return credential{}
}

// pathStyle rewrites a virtual-hosted S3 request (BUCKET.s3.localhost,
// BUCKET.s3.REGION.amazonaws.com, BUCKET.localhost) to path style, which is
// what the service understands.
func pathStyle(r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	bucket := virtualBucket(host)
	if bucket == "" {
		return
	}
	r.URL.Path = "/" + bucket + r.URL.Path
	if r.URL.RawPath != "" {
		r.URL.RawPath = "/" + bucket + r.URL.RawPath
	}
}

func virtualBucket(host string) string {
	if net.ParseIP(host) != nil {
		return ""
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if bucket, _, ok := strings.Cut(host, mark); ok {
			return bucket
		}
	}
	if strings.HasPrefix(host, "s3.") || strings.HasPrefix(host, "s3-") {
		return ""
	}
	bucket, ok := strings.CutSuffix(host, ".localhost")
	if !ok {
		return ""
	}
	return bucket
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
