package wire

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// CallJSON calls an awsJson operation that the SDK has no client for: one
// that AWS's services keep among themselves and document as a permission only,
// such as codecommit:UploadArchive. signing is the service's signing name,
// target the value of X-Amz-Target. cfg must have a BaseEndpoint.
func CallJSON(ctx context.Context, cfg aws.Config, signing, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("calling %s: %w", target, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, aws.ToString(cfg.BaseEndpoint)+"/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("calling %s: %w", target, err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	creds, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("calling %s: %w", target, err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, creds, r, hex.EncodeToString(sum[:]), signing, cfg.Region, time.Now()); err != nil {
		return fmt.Errorf("calling %s: %w", target, err)
	}
	res, err := cfg.HTTPClient.Do(r)
	if err != nil {
		return fmt.Errorf("calling %s: %w", target, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxDocument))
	if err != nil {
		return fmt.Errorf("calling %s: %w", target, err)
	}
	if res.StatusCode != http.StatusOK {
		e := &Error{Status: res.StatusCode}
		var failure struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal(answer, &failure); err != nil {
			return fmt.Errorf("calling %s: status %d: %w", target, res.StatusCode, err)
		}
		e.Code, e.Message = failure.Type, failure.Message
		return e
	}
	return json.Unmarshal(answer, out)
}
