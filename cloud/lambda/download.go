package lambda

import (
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// codePath begins the paths under which archives can be read. On AWS they are
// presigned URLs of a bucket of Lambda's; here, too, who knows the URL may read
// it, and it cannot be guessed without the code.
const codePath = "/_lambda/code/"

// location tells where code can be read.
func (s *Service) location(c code) *types.FunctionCodeLocation {
	if c.Image != "" {
		return &types.FunctionCodeLocation{RepositoryType: aws.String("ECR"), ImageUri: &c.Image, ResolvedImageUri: &c.Image}
	}
	return &types.FunctionCodeLocation{RepositoryType: aws.String("S3"), Location: aws.String(s.download(c))}
}

func (s *Service) download(c code) string { return s.host.Endpoint() + codePath + c.SHA256 }

// Paths are what the service answers besides its API.
func (s *Service) Paths() []string { return []string{codePath, urlPath} }

// ServeHTTP answers for function URLs, and gives archives.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if IsFunctionURL(r) {
		id, _, _ := strings.Cut(r.Host, urlMark)
		s.serveURL(w, r, id, r.URL.Path)
		return
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, urlPath); ok {
		id, path, _ := strings.Cut(rest, "/")
		s.serveURL(w, r, id, "/"+path)
		return
	}
	sum := strings.TrimPrefix(r.URL.Path, codePath)
	if len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(s.archives.zip(sum))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		http.Error(w, "reading the archive", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	http.ServeContent(w, r, "", info.ModTime(), f)
}
