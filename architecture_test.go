package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport is who may import whom, inside this module. A package that is not
// named takes the line of the nearest folder above it; "…/*" stands for what
// lies below a folder. docs/architecture.md draws the same picture.
var mayImport = map[string][]string{
	"":                     {"cli", "function", "gogc"},
	"gogc":                 {},
	"cli":                  {"pipeline", "publish", "stack", "template", "buildspec", "cloud", "cloud/store", "validate", "library", "starter", "regex", "ci", "layer", "image", "function", "gitsource", "webhook"},
	"image":                {"regex"},
	"starter":              {"library", "regex"},
	"ci":                   {"stack", "buildspec", "library", "template", "regex"},
	"function":             {"gitsource", "gitsource/pull", "layer", "pipeline", "stack"},
	"gitsource":            {},
	"gitsource/pull":       {"gitsource"},
	"webhook":              {"gitsource", "pipeline", "stack", "publish", "library", "regex"},
	"layer":                {"pipeline", "stack", "publish", "library", "template", "regex"},
	"pipeline":             {"stack", "publish", "template", "buildspec", "validate"},
	"stack":                {"template"},
	"publish":              {"template", "library"},
	"library":              {"template"},
	"validate":             {"template", "template/sam", "spec", "buildspec", "library", "regex"},
	"buildspec":            {"template", "regex"},
	"template":             {"regex"},
	"template/sam":         {"template", "regex"},
	"regex":                {},
	"spec":                 {},
	"spec/gen":             {"spec"},
	"bench":                {"cli", "cloud", "gitsource", "publish", "template", "validate"},
	"cloud":                {"cloud/*"},
	"cloud/store":          {},
	"cloud/wire":           {},
	"cloud/wire/gen":       {"cloud/wire"},
	"cloud/door":           {"cloud/store", "cloud/wire"},
	"cloud/seal":           {},
	"cloud/unzip":          {},
	"cloud/pattern":        {},
	"cloud/cron":           {},
	"cloud/stray":          {},
	"cloud/policy":         {},
	"cloud/accesskey":      {},
	"cloud/ecsrecord":      {},
	"cloud/alarmstate":     {},
	"cloud/lambda/runner":  {"cloud/stray", "regex"},
	"cloud/git":            {"cloud/store", "cloud/door"},
	"cloud/executeapi":     {"cloud/store", "cloud/door", "cloud/wire", "cloud/policy", "regex"},
	"cloud/cloudtest":      {"cloud", "cloud/*"},
	"cloud/cloudtest/tool": {},
}

// services may import the frame that every service stands on, the pure
// packages, and their own sub-packages; never each other.
var services = []string{
	"apigateway", "apigatewayv2", "cloudcontrol", "cloudformation", "cloudwatch", "codebuild", "codecommit", "codeconnections", "codedeploy", "codepipeline", "ecr", "eventbridge",
	"iam", "kms", "lambda", "logs", "s3", "secretsmanager", "serverlessrepo", "sns", "ssm", "sts",
}

var frame = []string{
	"cloud/store", "cloud/wire", "cloud/door", "cloud/seal", "cloud/policy", "cloud/accesskey", "regex", "cloud/pattern", "cloud/cron", "cloud/stray", "cloud/git", "cloud/executeapi", "cloud/unzip", "cloud/ecsrecord", "cloud/alarmstate", "template", "template/sam", "buildspec", "spec",
}

func allowed(pkg string) []string {
	if strings.Count(pkg, "/") > 1 && mayImport[pkg] != nil {
		return mayImport[pkg] // a part of a service that stands alone
	}
	for _, s := range services {
		own := "cloud/" + s
		if pkg == own || strings.HasPrefix(pkg, own+"/") {
			return append([]string{own, own + "/*"}, frame...)
		}
	}
	for at := pkg; ; at = strings.TrimSuffix(path.Dir(at), ".") {
		if list, ok := mayImport[at]; ok || at == "" {
			return list
		}
	}
}

func TestImportsGoDown(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != "." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := strings.TrimSuffix(filepath.ToSlash(filepath.Dir(file)), ".")
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imported, ours := strings.CutPrefix(imported, "ouro/")
			if ours && !slices.ContainsFunc(allowed(pkg), func(rule string) bool { return covers(rule, imported) }) {
				t.Errorf("%s: package %q may not import %q", file, pkg, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func covers(rule, pkg string) bool {
	if folder, ok := strings.CutSuffix(rule, "/*"); ok {
		return strings.HasPrefix(pkg, folder+"/")
	}
	return rule == pkg
}

// TestPackageNames keeps drawers out.
func TestPackageNames(t *testing.T) {
	t.Parallel()
	drawers := []string{"util", "utils", "common", "helper", "helpers", "types", "models", "shared", "misc"}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if dir := filepath.Dir(file); err == nil && strings.HasSuffix(file, ".go") && slices.Contains(drawers, filepath.Base(dir)) {
			t.Errorf("%s: a package is named for what it holds", dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
