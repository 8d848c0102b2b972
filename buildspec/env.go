package buildspec

import "go.yaml.in/yaml/v3"

// Env is what the commands find in their environment.
type Env struct {
	Shell               string     // bash, /bin/sh, …; empty: CodeBuild's default, sh
	Variables           []Variable // in plain text
	ParameterStore      []Variable // values are names of SSM parameters
	SecretsManager      []Variable // values are secret-id:json-key:version-stage:version-id
	Exported            []string   // names of the variables that a pipeline gets
	GitCredentialHelper bool       // git asks CodeBuild for credentials
}

func (r *reader) env(e *Env, n *yaml.Node) error {
	return r.fields(n, "env", fields{
		"shell":                 r.oneOf(&e.Shell, "bash", "/bin/bash", "sh", "/bin/sh", "powershell.exe", "cmd.exe"),
		"variables":             r.variables(&e.Variables),
		"parameter-store":       r.variables(&e.ParameterStore),
		"secrets-manager":       r.variables(&e.SecretsManager),
		"exported-variables":    r.texts(&e.Exported),
		"git-credential-helper": r.truth(&e.GitCredentialHelper),
	})
}
