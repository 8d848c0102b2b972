package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/layer"
	"ouro/pipeline"
)

// seeded are the properties of repository.seed: the files of a branch's first
// commit, or the zip that holds them.
type seeded struct {
	RepositoryName string
	BranchName     string
	Files          []seedFile
	BucketName     string
	Key            string
}

type seedFile struct{ Path, Content string }

// seeder makes the first commit of a new repository, so that a pipeline finds a
// branch there when it begins. A branch that is there stays as it is, and another
// branch of a repository that is not new begins where the default one is.
type seeder struct {
	repositories *codecommit.Client
	job          job // which reads zips
}

func repositorySeed(cfg aws.Config) *resource[seeded] {
	s := seeder{codecommit.NewFromConfig(cfg), job{buckets: pipeline.NewBuckets(cfg)}}
	return &resource[seeded]{
		check: (*seeded).check,
		id:    func(_ *request, p *seeded) string { return p.RepositoryName + "/" + p.BranchName },
		put: func(ctx context.Context, _ *request, p, _ *seeded) (map[string]string, error) {
			commit, err := s.seed(ctx, p)
			if err != nil {
				return nil, fmt.Errorf("making the first commit in repository %q: %w", p.RepositoryName, err)
			}
			return map[string]string{"CommitId": commit}, nil
		},
		// What was committed is the repository's, and goes with that.
		remove: func(context.Context, *request, *seeded) error { return nil },
	}
}

func (p *seeded) check() error {
	if p.RepositoryName == "" || p.BranchName == "" {
		return errors.New("RepositoryName and BranchName say where the first commit goes")
	}
	if (p.BucketName == "") != (p.Key == "") || (p.Key == "") == (len(p.Files) == 0) {
		return errors.New("the first commit's files come either from Files, or from the zip that BucketName and Key name")
	}
	return nil
}

// A commit through CodeCommit's API has at most 100 files of 6 MB each.
// https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
const (
	maxPut     = 100
	maxPutSize = 4 << 20 // of all files, since a request has a limit, too
)

// seed commits the files, as many at a time as CodeCommit takes. The commits say
// how many there are, so that one who begins again knows where to go on.
func (s seeder) seed(ctx context.Context, p *seeded) (string, error) {
	tip, made, of, err := s.progress(ctx, p)
	if err != nil || made == of && tip != "" {
		return tip, err
	}
	if tip == "" {
		if tip, err = s.branch(ctx, p); err != nil || tip != "" {
			return tip, err
		}
	}
	files, err := s.files(ctx, p)
	if err != nil {
		return "", err
	}
	parts := portions(files)
	for i := made; i < len(parts); i++ {
		in := &codecommit.CreateCommitInput{
			RepositoryName: &p.RepositoryName, BranchName: &p.BranchName, PutFiles: parts[i],
			AuthorName: aws.String("ouro"), Email: aws.String("ouro@localhost"), CommitMessage: aws.String(fmt.Sprintf(seedMessage, i+1, len(parts))),
		}
		if tip != "" {
			in.ParentCommitId = &tip
		}
		out, err := s.repositories.CreateCommit(ctx, in)
		if err != nil {
			return "", err
		}
		tip = aws.ToString(out.CommitId)
	}
	return tip, nil
}

// branch makes the branch at the tip of the default branch, in a repository that
// has one: it has had its first commit. tip is empty for a repository without.
func (s seeder) branch(ctx context.Context, p *seeded) (tip string, err error) {
	out, err := s.repositories.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &p.RepositoryName})
	if err != nil || aws.ToString(out.RepositoryMetadata.DefaultBranch) == "" {
		return "", err
	}
	from, err := s.repositories.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: &p.RepositoryName, BranchName: out.RepositoryMetadata.DefaultBranch})
	if err != nil {
		return "", err
	}
	tip = aws.ToString(from.Branch.CommitId)
	_, err = s.repositories.CreateBranch(ctx, &codecommit.CreateBranchInput{RepositoryName: &p.RepositoryName, BranchName: &p.BranchName, CommitId: &tip})
	return tip, err
}

// seedMessage is the message of a commit of ours.
const seedMessage = "First files, part %d of %d"

// progress is the branch's tip, if there is one, and how many of how many
// commits were made by then. A tip that is not ours is the last of all.
func (s seeder) progress(ctx context.Context, p *seeded) (tip string, made, of int, err error) {
	out, err := s.repositories.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: &p.RepositoryName, BranchName: &p.BranchName})
	if none := (*types.BranchDoesNotExistException)(nil); errors.As(err, &none) {
		return "", 0, 0, nil
	}
	if err != nil {
		return "", 0, 0, err
	}
	tip = aws.ToString(out.Branch.CommitId)
	commit, err := s.repositories.GetCommit(ctx, &codecommit.GetCommitInput{RepositoryName: &p.RepositoryName, CommitId: &tip})
	if err != nil {
		return "", 0, 0, err
	}
	if _, err := fmt.Sscanf(aws.ToString(commit.Commit.Message), seedMessage, &made, &of); err != nil {
		return tip, 0, 0, nil
	}
	return tip, made, of, nil
}

// files are those of the first commit, in order.
func (s seeder) files(ctx context.Context, p *seeded) ([]types.PutFileEntry, error) {
	if p.Key == "" {
		var files []types.PutFileEntry
		for _, f := range p.Files {
			files = append(files, types.PutFileEntry{FilePath: &f.Path, FileContent: []byte(f.Content), FileMode: types.FileModeTypeEnumNormal})
		}
		return files, nil
	}
	zip, err := s.job.download(ctx, p.BucketName, p.Key)
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", p.BucketName, p.Key, err)
	}
	defer zip.Close() //nolint:errcheck // in the directory for what is temporary
	files, err := zipped(zip)
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", p.BucketName, p.Key, err)
	}
	return files, nil
}

func zipped(zip *opened) ([]types.PutFileEntry, error) {
	if err := layer.CheckSeed(zip.Reader); err != nil {
		return nil, err
	}
	var files []types.PutFileEntry
	for _, f := range zip.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if !fs.ValidPath(f.Name) {
			return nil, fmt.Errorf("it names a file %q", f.Name)
		}
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(in, layer.MaxSeedFile))
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
		mode := types.FileModeTypeEnumNormal
		if f.Mode()&0o100 != 0 {
			mode = types.FileModeTypeEnumExecutable
		}
		files = append(files, types.PutFileEntry{FilePath: aws.String(f.Name), FileContent: body, FileMode: mode})
	}
	if len(files) == 0 {
		return nil, errors.New("it holds no files")
	}
	slices.SortFunc(files, func(a, b types.PutFileEntry) int { return strings.Compare(*a.FilePath, *b.FilePath) })
	return files, nil
}

// portions are the files as commits take them.
func portions(files []types.PutFileEntry) [][]types.PutFileEntry {
	var parts [][]types.PutFileEntry
	size := 0
	for _, f := range files {
		last := len(parts) - 1
		if last < 0 || len(parts[last]) == maxPut || size+len(f.FileContent) > maxPutSize {
			parts, last, size = append(parts, nil), last+1, 0
		}
		parts[last] = append(parts[last], f)
		size += len(f.FileContent)
	}
	return parts
}
