package codepipeline_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/cloudtest/tool"
)

func signature(h func() hash.Hash, secret, body string) string {
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// post delivers a body to a webhook.
func (h *hub) post(url, body string, header map[string]string) (int, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ctx := t.Context()
	h.create("p", act("Source", "Source", "CodeStarSourceConnection", map[string]string{
		"ConnectionArn": h.connection, "FullRepositoryId": "me/site", "BranchName": "main"}, out("App")))
	define := func(name string, change func(*types.WebhookDefinition)) (*types.ListWebhookItem, error) {
		def := &types.WebhookDefinition{
			Name: &name, TargetPipeline: aws.String("p"), TargetAction: aws.String("Source"),
			Authentication: types.WebhookAuthenticationTypeUnauthenticated, AuthenticationConfiguration: &types.WebhookAuthConfiguration{},
			Filters: []types.WebhookFilterRule{{JsonPath: aws.String("$.ref"), MatchEquals: aws.String("refs/heads/{BranchName}")}},
		}
		change(def)
		out, err := h.client.PutWebhook(ctx, &api.PutWebhookInput{Webhook: def, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
		if err != nil {
			return nil, err
		}
		return out.Webhook, nil
	}
	put := func(name string, change func(*types.WebhookDefinition)) *types.ListWebhookItem {
		t.Helper()
		return must[*types.ListWebhookItem](t)(define(name, change))
	}
	signed := put("signed", func(d *types.WebhookDefinition) {
		d.Authentication, d.AuthenticationConfiguration = types.WebhookAuthenticationTypeGithubHmac, &types.WebhookAuthConfiguration{SecretToken: aws.String("very-secret")}
	})
	if *signed.Definition.AuthenticationConfiguration.SecretToken != "****" || *signed.Arn != "arn:aws:codepipeline:us-east-1:000000000000:webhook:signed" || len(signed.Tags) != 1 {
		t.Errorf("webhook: %+v", signed)
	}
	addressed := func(cidr string) func(*types.WebhookDefinition) {
		return func(d *types.WebhookDefinition) {
			d.Authentication, d.AuthenticationConfiguration = types.WebhookAuthenticationTypeIp, &types.WebhookAuthConfiguration{AllowedIPRange: &cidr}
		}
	}
	near, far := put("near", addressed("127.0.0.0/8")), put("far", addressed("192.0.2.0/24"))
	open := put("open", func(d *types.WebhookDefinition) {
		d.Filters = append(d.Filters, types.WebhookFilterRule{JsonPath: aws.String("$.commits[0].added[?(@ == 'x')]")}, types.WebhookFilterRule{JsonPath: aws.String("$.n"), MatchEquals: aws.String("3")})
	})
	const main, whole = `{"ref": "refs/heads/main"}`, `{"ref": "refs/heads/main", "n": 3, "commits": [{"added": ["x"]}]}`
	for _, test := range []struct {
		url, body string
		header    map[string]string
		status    int
		answer    string
	}{
		{*signed.Url, main, map[string]string{"X-Hub-Signature-256": "sha256=" + signature(sha256.New, "very-secret", main)}, 200, "started"},
		{*signed.Url, main, map[string]string{"X-Hub-Signature": "sha1=" + signature(sha1.New, "very-secret", main)}, 200, "started"},
		{*signed.Url, main, map[string]string{"X-Hub-Signature-256": "sha256=00", "X-Hub-Signature": "sha1=" + signature(sha1.New, "very-secret", main)}, 401, "authentication"},
		{*signed.Url, main, map[string]string{"X-Hub-Signature": "sha1=" + signature(sha1.New, "****", main)}, 401, "authentication"},
		{*signed.Url, main + " ", map[string]string{"X-Hub-Signature-256": "sha256=" + signature(sha256.New, "very-secret", main)}, 401, "authentication"},
		{*signed.Url, main, nil, 401, "authentication"},
		{*near.Url, main, nil, 200, "started"},
		{*near.Url, `{"ref": "refs/heads/side"}`, nil, 200, "ignored"},
		{*near.Url, `{}`, nil, 200, "ignored"},
		{*far.Url, main, map[string]string{"X-Forwarded-For": "192.0.2.1"}, 401, "authentication"},
		{*open.Url, whole, nil, 200, "started"},
		{*open.Url, strings.Replace(whole, "3", "4", 1), nil, 200, "ignored"},
		{*open.Url, strings.Replace(whole, `"x"`, `"y"`, 1), nil, 200, "ignored"},
		{*open.Url, "x", nil, 400, "JSON"},
		{*open.Url, strings.Repeat("[", 30) + strings.Repeat("]", 30), nil, 400, "levels deep"},
		{*open.Url, strings.Repeat(" ", 1<<20+1), nil, 413, "more than"},
		{h.cloud.URL + "/_codepipeline/webhooks?t=eA&v=1", main, nil, 404, "no such webhook"},
		{strings.Replace(*near.Url, "t=", "t=A", 1), main, nil, 404, "no such webhook"},
	} {
		if status, text := h.post(test.url, test.body, test.header); status != test.status || !strings.Contains(text, test.answer) {
			t.Errorf("%.60s with %v to %s: %d %s, want %d %s", test.body, test.header, test.url, status, text, test.status, test.answer)
		}
	}
	if n := len(h.executions("p")); n != 1+4 {
		t.Errorf("%d executions", n)
	}
	list := must[*api.ListWebhooksOutput](t)(h.client.ListWebhooks(ctx, &api.ListWebhooksInput{MaxResults: aws.Int32(3)}))
	if len(list.Webhooks) != 3 || list.NextToken == nil || *list.Webhooks[0].Definition.Name != "far" || *list.Webhooks[0].ErrorCode != "Unauthorized" || list.Webhooks[1].LastTriggered == nil {
		t.Errorf("webhooks: %+v", list.Webhooks)
	}

	// The URL stays with the webhook, and with a masked secret the secret.
	again := put("signed", func(d *types.WebhookDefinition) {
		d.Authentication, d.AuthenticationConfiguration = types.WebhookAuthenticationTypeGithubHmac, &types.WebhookAuthConfiguration{SecretToken: aws.String("****")}
	})
	if status, text := h.post(*again.Url, main, map[string]string{"X-Hub-Signature": "sha1=" + signature(sha1.New, "very-secret", main)}); status != 200 || *again.Url != *signed.Url {
		t.Errorf("after an update: %d %s", status, text)
	}
	must[*api.DeleteWebhookOutput](t)(h.client.DeleteWebhook(ctx, &api.DeleteWebhookInput{Name: aws.String("near")}))
	must[*api.DeleteWebhookOutput](t)(h.client.DeleteWebhook(ctx, &api.DeleteWebhookInput{Name: aws.String("near")}))
	if made := put("near", addressed("127.0.0.0/8")); *made.Url == *near.Url {
		t.Error("a webhook made anew has the old URL")
	}
	for want, change := range map[string]func(*types.WebhookDefinition){
		"PipelineNotFoundException":                               func(d *types.WebhookDefinition) { d.TargetPipeline = aws.String("none") },
		"ValidationException":                                     func(d *types.WebhookDefinition) { d.TargetAction = aws.String("Ask") },
		"InvalidWebhookFilterPatternException":                    func(d *types.WebhookDefinition) { d.Filters[0].JsonPath = aws.String("$[") },
		"InvalidWebhookFilterPatternException (descents)":         func(d *types.WebhookDefinition) { d.Filters[0].JsonPath = aws.String("$..a..b") },
		"InvalidWebhookFilterPatternException (root)":             func(d *types.WebhookDefinition) { d.Filters[0].JsonPath = aws.String("$[?($[*].a == 1)]") },
		"InvalidWebhookAuthenticationParametersException":         addressed("1.2.3.4"),
		"InvalidWebhookAuthenticationParametersException (none)":  func(d *types.WebhookDefinition) { d.Authentication = types.WebhookAuthenticationTypeGithubHmac },
		"InvalidWebhookAuthenticationParametersException (extra)": func(d *types.WebhookDefinition) { d.AuthenticationConfiguration.SecretToken = aws.String("x") },
	} {
		if _, err := define("bad", change); code(err) != strings.Fields(want)[0] {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := h.client.RegisterWebhookWithThirdParty(ctx, &api.RegisterWebhookWithThirdPartyInput{WebhookName: aws.String("none")}); code(err) != "WebhookNotFoundException" {
		t.Errorf("registering what is not there: %v", err)
	}
	if _, err := h.client.RegisterWebhookWithThirdParty(ctx, &api.RegisterWebhookWithThirdPartyInput{WebhookName: aws.String("near")}); code(err) != "ValidationException" {
		t.Errorf("registering for no GitHub action: %v", err)
	}
	var puts sync.WaitGroup
	var urls [8]string
	for i := range urls {
		puts.Go(func() {
			if hook, err := define("race", func(*types.WebhookDefinition) {}); err == nil {
				urls[i] = *hook.Url
			} else if code(err) != "ConcurrentModificationException" {
				t.Errorf("many at once: %v", err)
			}
		})
	}
	puts.Wait()
	kept := *put("race", func(*types.WebhookDefinition) {}).Url
	for _, url := range urls {
		if url != "" && url != kept {
			t.Error("a URL that was answered leads nowhere")
		}
	}
	h.hidden("very-secret")
	t.Run("command line", func(t *testing.T) { h.commandLine(t) })
}

// hidden looks for a secret in the files of the state.
func (h *hub) hidden(secret string) {
	h.t.Helper()
	err := filepath.WalkDir(h.cloud.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		if bytes.Contains(body, []byte(secret)) {
			h.t.Errorf("the secret lies in %s", path)
		}
		return err
	})
	if err != nil {
		h.t.Error(err)
	}
}

// commandLine uses the AWS CLI, unless it is not installed.
func (h *hub) commandLine(t *testing.T) {
	run := tool.NewAWS(t, h.cloud.URL, "codepipeline").Run
	url := run("put-webhook", "--query", "webhook.url", "--webhook", `{"name": "cli", "targetPipeline": "p", "targetAction": "Source",
		"filters": [{"jsonPath": "$.go"}], "authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}`)
	if status, text := h.post(url, `{"go": true}`, nil); status != 200 || !strings.Contains(text, "started") {
		t.Errorf("delivery: %d %s", status, text)
	}
	if got := run("list-webhooks", "--query", "webhooks[?lastTriggered].definition.name"); !strings.Contains(got, "cli") {
		t.Errorf("list-webhooks: %s", got)
	}
	run("delete-webhook", "--name", "cli")
}
