package codebuild

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"golang.org/x/sync/errgroup"
)

// reference is a variable whose value lies elsewhere.
type reference struct {
	kind types.EnvironmentVariableType
	of   string // a parameter's name; secret-id:json-key:version-stage:version-id
}

// parametersAtOnce is how many names GetParameters takes.
const parametersAtOnce = 10

// resolve reads the values as the build's role, and has the log hide them.
// environ serves variables inside of references.
func (r *run) resolve(ctx context.Context, references map[string]reference, environ []string) (map[string]string, error) {
	out := map[string]string{}
	var mu sync.Mutex
	set := func(name, value string) {
		mu.Lock()
		defer mu.Unlock()
		out[name] = value
	}
	together, ctx := errgroup.WithContext(ctx)
	together.SetLimit(transfers)
	parameters := map[string][]string{} // variables by parameter
	for name, ref := range references {
		ref.of = os.Expand(ref.of, func(v string) string {
			if value := lookupEnv(environ, v); value != "" {
				return value
			}
			return "$" + v
		})
		if ref.kind == types.EnvironmentVariableTypeParameterStore {
			parameters[ref.of] = append(parameters[ref.of], name)
			continue
		}
		together.Go(func() error {
			value, err := r.secret(ctx, ref.of)
			set(name, value)
			return err
		})
	}
	for names := range slices.Chunk(sortedKeys(parameters), parametersAtOnce) {
		together.Go(func() error {
			values, err := r.parameters(ctx, names)
			for parameter, value := range values {
				for _, name := range parameters[parameter] {
					set(name, value)
				}
			}
			return err
		})
	}
	if err := together.Wait(); err != nil {
		return nil, err
	}
	hidden := []string{r.role.credentials.SecretAccessKey, r.role.credentials.SessionToken}
	hidden = slices.DeleteFunc(hidden, func(v string) bool { return len(v) < 16 })
	for _, value := range out {
		hidden = append(hidden, value)
	}
	if r.primary.password != "" { // commands may have git's helper tell it
		hidden = append(hidden, r.primary.password)
	}
	r.log.hide(hidden)
	return out, nil
}

// parameters reads values from Parameter Store by the names asked for.
func (r *run) parameters(ctx context.Context, names []string) (map[string]string, error) {
	const status = "Decrypted Variables Error" // CodeBuild's own code
	out, err := ssm.NewFromConfig(r.role.config).GetParameters(ctx, &ssm.GetParametersInput{Names: names, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, &failure{code: status, message: err.Error()}
	}
	if len(out.InvalidParameters) > 0 {
		return nil, &failure{code: status, message: "parameter does not exist: " + strings.Join(out.InvalidParameters, ", ")}
	}
	values := map[string]string{}
	for _, p := range out.Parameters {
		for _, asked := range names {
			if asked == *p.Name || asked == *p.Name+aws.ToString(p.Selector) || asked == aws.ToString(p.ARN) {
				values[asked] = aws.ToString(p.Value)
			}
		}
	}
	return values, nil
}

// secret reads secret-id:json-key:version-stage:version-id, of which only the
// id is needed; the id may be an ARN.
func (r *run) secret(ctx context.Context, ref string) (string, error) {
	const status = "Secrets Manager Error Message" // CodeBuild's own code
	id, rest := ref, ""
	if parts := strings.SplitN(ref, ":", 8); strings.HasPrefix(ref, "arn:") && len(parts) >= 7 {
		id = strings.Join(parts[:7], ":")
		rest = strings.Join(parts[7:], ":")
	} else if !strings.HasPrefix(ref, "arn:") {
		id, rest, _ = strings.Cut(ref, ":")
	}
	more := append(strings.Split(rest, ":"), "", "", "")
	key, stage, version := more[0], more[1], more[2]
	in := &secretsmanager.GetSecretValueInput{SecretId: &id}
	if stage != "" {
		in.VersionStage = &stage
	}
	if version != "" {
		in.VersionId = &version
	}
	out, err := secretsmanager.NewFromConfig(r.role.config).GetSecretValue(ctx, in)
	if err != nil {
		return "", &failure{code: status, message: err.Error()}
	}
	text := aws.ToString(out.SecretString)
	if text == "" && out.SecretBinary != nil {
		text = string(out.SecretBinary)
	}
	if key == "" {
		return text, nil
	}
	var members map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		return "", failf(status, "secret %s is no JSON object, so that it has no key %s", id, key)
	}
	value, ok := members[key]
	if !ok {
		return "", failf(status, "secret %s has no key %s", id, key)
	}
	if text, ok := value.(string); ok {
		return text, nil
	}
	if value, ok := value.(json.Number); ok {
		return value.String(), nil
	}
	body, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("reading key %s of secret %s: %w", key, id, err)
	}
	return string(body), nil
}
