package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
	"github.com/spf13/cobra"

	"ouro/cloud"
	"ouro/cloud/store"
	"ouro/pipeline"
)

// targetFlags choose the endpoint that a command works on: the local cloud of
// the project, AWS, or any other.
type targetFlags struct {
	aws        bool
	endpoint   string
	profile    string
	region     string
	state      string
	listen     string
	containers bool
	asker      *asker // for the region, if none is set; nil for nobody
	there      bool   // the work is on what was brought up before
}

func (f *targetFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.BoolVar(&f.aws, "aws", false, "work on AWS instead of the local cloud")
	flags.StringVar(&f.endpoint, "endpoint-url", "", "work on this endpoint (default $AWS_ENDPOINT_URL)")
	flags.StringVar(&f.profile, "profile", "", "the AWS profile whose credentials to use")
	flags.StringVar(&f.region, "region", "", "the AWS region (default $AWS_REGION, or us-east-1 on the local cloud)")
	flags.StringVar(&f.state, "state", "", "directory of the local cloud's state (default .ouro in the project)")
}

// defaultRegion is the local cloud's, when nothing names another.
const defaultRegion = "us-east-1"

// target is an endpoint to work on.
type target struct {
	Config aws.Config
	URL    string // empty for AWS
	State  string // directory for what ouro keeps beside the project
	// own tells that this is the project's local cloud: nothing there needs
	// consent, and its builds find this program.
	own    bool
	server *cloud.Server
	moved  bool // the default port was taken
}

// open reaches the endpoint for the project in dir. Without another endpoint
// it joins the local cloud that runs on the project's state, or else starts
// one in this process.
func (f *targetFlags) open(ctx context.Context, s IO, dir string) (*target, error) {
	t := &target{State: f.state}
	if t.State == "" {
		t.State = filepath.Join(dir, pipeline.StateDir)
	}
	endpoint := f.endpoint
	if endpoint == "" && !f.aws {
		endpoint = s.Env("AWS_ENDPOINT_URL")
	}
	if f.containers && (f.aws || endpoint != "") {
		return nil, usageError{errors.New("--containers is for the local cloud that this command starts")}
	}
	if f.aws || endpoint != "" {
		t.own = endpoint != "" && endpoint == cloud.Running(ctx, t.State)
		return t, f.remote(ctx, s, t, endpoint)
	}
	t.own = true
	var err error
	if t.URL = cloud.Running(ctx, t.State); t.URL != "" && f.containers {
		return nil, usageError{fmt.Errorf("--containers: the local cloud on %s runs already, and keeps to how it was started", t.URL)}
	}
	if t.URL == "" {
		if _, err := os.Stat(t.State); f.there && errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no local cloud has run here, there is no %q: %w", t.State, errNoPipeline)
		}
		if err = f.start(ctx, t); err != nil {
			return nil, err
		}
	}
	t.Config = localConfig(t.URL, firstOf(f.region, s.Env("AWS_REGION"), s.Env("AWS_DEFAULT_REGION"), defaultRegion))
	return t, nil
}

func (f *targetFlags) start(ctx context.Context, t *target) error {
	state, err := filepath.Abs(t.State)
	if err != nil {
		return err
	}
	t.State = state
	engine, err := containerEngine(ctx, f.containers)
	if err != nil {
		return err
	}
	address := firstOf(f.listen, cloud.DefaultAddress)
	l, err := cloud.Listen(address, f.listen == "")
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	exe, err := os.Executable()
	if err != nil {
		return errors.Join(fmt.Errorf("finding this program for the builds: %w", err), l.Close())
	}
	t.server, err = cloud.Start(ctx, l, cloud.Options{Dir: state, Executable: exe, Containers: engine})
	var inUse *store.InUseError
	if errors.As(err, &inUse) {
		return fmt.Errorf("the state directory is in use by a process whose local cloud does not answer: %w", err)
	}
	if err != nil {
		return fmt.Errorf("starting the local cloud: %w", err)
	}
	t.URL = t.server.URL
	t.moved = f.listen == "" && l.Addr().String() != cloud.DefaultAddress
	return nil
}

// remote is AWS, or another endpoint, for somebody with credentials.
func (f *targetFlags) remote(ctx context.Context, s IO, t *target, endpoint string) error {
	if err := f.configure(ctx, s, t, endpoint); err != nil {
		return err
	}
	if _, err := t.Config.Credentials.Retrieve(ctx); err != nil {
		if strings.Contains(err.Error(), "no EC2 IMDS role found") {
			err = errors.New("there are none") // the last of many places that were looked at
		}
		return &accessError{fmt.Errorf("finding credentials for AWS: %w", err)}
	}
	return nil
}

// configure makes t AWS, or another endpoint, by the SDK's own rules. It asks
// nobody.
func (f *targetFlags) configure(ctx context.Context, s IO, t *target, endpoint string) error {
	if named := s.Env("AWS_ENDPOINT_URL"); f.aws && endpoint == "" && named != "" {
		// The SDK would go there, and we would say AWS.
		return usageError{fmt.Errorf("--aws, but AWS_ENDPOINT_URL is %s: unset it, or leave --aws out", named)}
	}
	if u, err := url.Parse(endpoint); endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return usageError{fmt.Errorf("the endpoint %q is no URL, such as http://%s", endpoint, cloud.DefaultAddress)}
	}
	// The SDK would log what we say ourselves.
	options := []func(*config.LoadOptions) error{config.WithHTTPClient(client()), config.WithLogger(logging.Nop{})}
	if f.profile != "" {
		options = append(options, config.WithSharedConfigProfile(f.profile))
	}
	if f.region != "" {
		options = append(options, config.WithRegion(f.region))
	}
	if endpoint != "" {
		options = append(options, config.WithBaseEndpoint(endpoint))
		if isLoopback(endpoint) && s.Env("AWS_ACCESS_KEY_ID") == "" && f.profile == "" {
			options = append(options, config.WithCredentialsProvider(madeUp))
		}
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	var none config.SharedConfigProfileNotExistError
	if errors.As(err, &none) {
		return &accessError{fmt.Errorf("there is no AWS profile %q", none.Profile)}
	}
	if err != nil {
		return &accessError{fmt.Errorf("reading the AWS configuration: %w", err)}
	}
	if cfg.Region == "" {
		if cfg.Region, err = f.chooseRegion(ctx, endpoint); err != nil {
			return err
		}
	}
	cfg.HTTPClient = patient{cfg.HTTPClient}
	t.Config, t.URL = cfg, endpoint
	return nil
}

// chooseRegion is the region when nothing sets one.
func (f *targetFlags) chooseRegion(ctx context.Context, endpoint string) (string, error) {
	switch {
	case isLoopback(endpoint):
		return defaultRegion, nil
	case f.asker == nil:
		return "", usageError{errors.New("no region: give --region, or set AWS_REGION")}
	}
	return f.asker.ask(ctx, "AWS region", defaultRegion, nil)
}

// accessError tells that we have no way into AWS.
type accessError struct{ error }

func (e *accessError) Unwrap() error { return e.error }

// refused are the codes with which AWS does not let anybody in whose
// credentials are wrong or too old.
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
var refused = []string{
	"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch", "IncompleteSignature",
	"UnrecognizedClientException", "AuthFailure", "MissingAuthenticationToken", "OptInRequired", "RequestExpired",
}

// madeUp are the credentials for endpoints on this machine, which take any; a
// 12-digit key id names the account.
var madeUp = credentials.NewStaticCredentialsProvider("000000000000", "local", "")

func localConfig(endpoint, region string) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: &endpoint, Credentials: madeUp, HTTPClient: patient{client()}}
}

// connections is how many requests to one host run at once: as many as an
// upload has workers.
const connections = 64

func client() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*connections, connections
	})
}

// patient hides from the transport that request bodies have a WriteTo: the
// SDK closes a body when the answer is there, and a WriteTo of a closed one is
// an error, for which the transport drops the connection under the answer. It
// takes an endpoint as near as the local cloud to be so fast.
type patient struct{ aws.HTTPClient }

func (c patient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.HTTPClient.Do(r)
}

func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// describe is a sentence on where the work is done.
func (t *target) describe() string {
	switch {
	case t.URL == "":
		return "AWS, region " + t.Config.Region
	case !t.own:
		return t.URL + ", region " + t.Config.Region
	case t.server == nil:
		return t.URL + ", which runs already"
	}
	text := "local cloud on " + t.URL
	if t.moved {
		text += " (" + cloud.DefaultAddress + " is taken)"
	}
	return text
}

// Close ends the local cloud if this process started it.
func (t *target) Close() error {
	if t.server == nil {
		return nil
	}
	return t.server.Close()
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
