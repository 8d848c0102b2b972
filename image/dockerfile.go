package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"ouro/regex"
)

// step is one instruction of a Dockerfile.
// https://docs.docker.com/reference/dockerfile/
type step struct {
	line int
	name string // in capitals
	rest string // what follows it, on one line
}

// parse reads a Dockerfile into its instructions.
func parse(text string) ([]step, error) {
	var steps []step
	var open *step // the instruction that goes on in the next line
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "#") {
			if key, value, ok := strings.Cut(strings.TrimSpace(trimmed[1:]), "="); ok && len(steps) == 0 && strings.TrimSpace(strings.ToLower(key)) == "escape" && strings.TrimSpace(value) != `\` {
				return nil, fmt.Errorf("line %d: only \\ is understood as escape character", i+1)
			}
			continue
		}
		if trimmed == "" {
			continue
		}
		part, goesOn := strings.CutSuffix(trimmed, `\`)
		if open == nil {
			name, rest, _ := strings.Cut(part, " ")
			steps = append(steps, step{line: i + 1, name: strings.ToUpper(name), rest: strings.TrimSpace(rest)})
			open = &steps[len(steps)-1]
		} else {
			open.rest = strings.TrimSpace(open.rest + " " + strings.TrimSpace(part))
		}
		if !goesOn {
			open = nil
		}
	}
	return steps, nil
}

// refusedSteps are the instructions that need more than files, with the
// reason.
var refusedSteps = map[string]string{
	"RUN":         "it needs a container engine, such as docker build; copy in what was built before",
	"ONBUILD":     "it is for builds by a container engine",
	"HEALTHCHECK": "images of the OCI have none; say it where the container is run",
	"SHELL":       "write commands as JSON lists",
	"MAINTAINER":  `it is deprecated; write LABEL org.opencontainers.image.authors="…"`,
}

var instructions = map[string]func(*builder, step) error{
	"FROM": (*builder).from, "ARG": (*builder).arg, "ENV": (*builder).env, "LABEL": (*builder).label, "COPY": (*builder).copy, "ADD": (*builder).addFiles,
	"WORKDIR": (*builder).workdir, "USER": (*builder).user, "EXPOSE": (*builder).expose, "VOLUME": (*builder).volume, "STOPSIGNAL": (*builder).stopSignal,
	"ENTRYPOINT": func(b *builder, s step) (err error) {
		b.config.Cmd = nil // a base's is that of the base's entrypoint
		b.config.Entrypoint, err = command(s.rest)
		return err
	},
	"CMD": func(b *builder, s step) (err error) {
		b.config.Cmd, err = command(s.rest)
		return err
	},
}

// do follows one instruction.
func (b *builder) do(s step) error {
	if why, ok := refusedSteps[s.name]; ok {
		return errors.New("refused: " + why)
	}
	follow, ok := instructions[s.name]
	switch {
	case !ok:
		return errors.New("there is no such instruction")
	case s.rest == "":
		return errors.New("it says nothing")
	case strings.Contains(s.rest, "<<") && (s.name == "COPY" || s.name == "ADD"):
		return errors.New("refused: here-documents are not supported")
	case b.image == nil && s.name != "FROM" && s.name != "ARG":
		return errors.New("it comes before FROM")
	}
	if b.image != nil && s.name != "ARG" {
		b.note(s)
	}
	return follow(b, s)
}

func (b *builder) from(s step) error {
	if b.image != nil {
		return errors.New("refused: a second stage needs a container engine")
	}
	words, err := b.words(s.rest)
	if err != nil {
		return err
	}
	if platform, ok := strings.CutPrefix(words[0], "--platform="); ok && len(words) > 1 {
		p, err := v1.ParsePlatform(platform)
		if err != nil || p.Architecture == "" {
			return fmt.Errorf("the platform %q is not of the form OS/ARCHITECTURE", platform)
		}
		b.platform, words = *p, words[1:]
	}
	if len(words) != 1 && (len(words) != 3 || !strings.EqualFold(words[1], "AS")) {
		return fmt.Errorf("%q is not of the form IMAGE [AS NAME]", s.rest)
	}
	return b.start(words[0])
}

// arg takes the default of a build argument: others are not given.
func (b *builder) arg(s step) error {
	words, err := b.words(s.rest)
	for _, w := range words {
		if key, value, ok := strings.Cut(w, "="); ok {
			b.args[key] = value
		}
	}
	return err
}

// pairs reads KEY=VALUE …, or KEY and a value up to the line's end.
func (b *builder) pairs(s step) ([][2]string, error) {
	words, err := b.words(s.rest)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(words[0], "=") {
		if len(words) < 2 {
			return nil, fmt.Errorf("%q has no value", words[0])
		}
		return [][2]string{{words[0], strings.Join(words[1:], " ")}}, nil
	}
	var out [][2]string
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%q is not of the form KEY=VALUE", w)
		}
		out = append(out, [2]string{key, value})
	}
	return out, nil
}

func (b *builder) env(s step) error {
	pairs, err := b.pairs(s)
	for _, p := range pairs {
		b.config.Env = slices.DeleteFunc(b.config.Env, func(e string) bool { return strings.HasPrefix(e, p[0]+"=") })
		b.config.Env = append(b.config.Env, p[0]+"="+p[1])
	}
	return err
}

func (b *builder) label(s step) error {
	pairs, err := b.pairs(s)
	if b.config.Labels == nil {
		b.config.Labels = map[string]string{}
	}
	for _, p := range pairs {
		b.config.Labels[p[0]] = p[1]
	}
	return err
}

// one reads a single value.
func (b *builder) one(s step) (string, error) {
	words, err := b.words(s.rest)
	return strings.Join(words, " "), err
}

func (b *builder) workdir(s step) (err error) {
	dir, err := b.one(s)
	b.config.WorkingDir = b.absolute(dir)
	return err
}

// absolute is a path in the image.
func (b *builder) absolute(p string) string {
	if !path.IsAbs(p) {
		p = path.Join("/", b.config.WorkingDir, p)
	}
	return path.Clean(p)
}

func (b *builder) user(s step) (err error) {
	b.config.User, err = b.one(s)
	return err
}

func (b *builder) stopSignal(s step) (err error) {
	b.config.StopSignal, err = b.one(s)
	return err
}

var port = regex.New(`^[0-9]{1,5}(/(tcp|udp|sctp))?$`)

func (b *builder) expose(s step) error {
	words, err := b.words(s.rest)
	if b.config.ExposedPorts == nil {
		b.config.ExposedPorts = map[string]struct{}{}
	}
	for _, w := range words {
		if !port().MatchString(w) {
			return fmt.Errorf("%q is not of the form PORT or PORT/PROTOCOL", w)
		}
		if !strings.Contains(w, "/") {
			w += "/tcp"
		}
		b.config.ExposedPorts[w] = struct{}{}
	}
	return err
}

func (b *builder) volume(s step) error {
	words, err := b.list(s.rest)
	if b.config.Volumes == nil {
		b.config.Volumes = map[string]struct{}{}
	}
	for _, w := range words {
		b.config.Volumes[w] = struct{}{}
	}
	return err
}

// list reads words, or a list in JSON.
func (b *builder) list(text string) ([]string, error) {
	if list, ok := jsonList(text); ok {
		for i, item := range list {
			words, err := b.words(`"` + strings.ReplaceAll(item, `"`, `\"`) + `"`)
			if err != nil {
				return nil, err
			}
			list[i] = words[0]
		}
		return list, nil
	}
	return b.words(text)
}

func jsonList(text string) (list []string, ok bool) {
	return list, strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &list) == nil
}

// command reads a command: a list in JSON, or a line for the shell.
func command(text string) ([]string, error) {
	list, ok := jsonList(text)
	switch {
	case ok && len(list) == 0:
		return nil, errors.New("the command is empty")
	case ok:
		return list, nil
	}
	return []string{"/bin/sh", "-c", text}, nil
}
