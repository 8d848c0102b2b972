package codepipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// approvalNote is what a topic is told of an approval that waits.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
type approvalNote struct {
	Region      string `json:"region"`
	ConsoleLink string `json:"consoleLink"`
	Approval    struct {
		PipelineName       string  `json:"pipelineName"`
		StageName          string  `json:"stageName"`
		ActionName         string  `json:"actionName"`
		Token              string  `json:"token"`
		Expires            string  `json:"expires"`
		ExternalEntityLink *string `json:"externalEntityLink"`
		ApprovalReviewLink string  `json:"approvalReviewLink"`
		CustomData         *string `json:"customData"`
	} `json:"approval"`
}

func (j *job) approvalNote() *approvalNote {
	region := j.key.scope.Region
	n := &approvalNote{Region: region, ConsoleLink: "https://console.aws.amazon.com/codepipeline/home?region=" + region + "#/view/" + j.key.name}
	a := &n.Approval
	a.PipelineName, a.StageName, a.ActionName, a.Token = j.key.name, j.record.Stage, j.record.Name, j.record.Token
	a.Expires = j.record.Started.Add(j.kind.timeout(j.record.Declaration)).UTC().Format("2006-01-02T15:04Z")
	a.ExternalEntityLink, a.CustomData = optional(j.config["ExternalEntityLink"]), optional(j.config["CustomData"])
	a.ApprovalReviewLink = strings.Join([]string{n.ConsoleLink, a.StageName, a.ActionName, "approve", a.Token}, "/")
	return n
}

// maxSubject is how many characters SNS allows in a subject.
const maxSubject = 100

// tellTopic publishes that the approval waits: as JSON, and in words for those
// who get it by mail.
func (j *job) tellTopic(ctx context.Context, topic string) error {
	note := j.approvalNote()
	text, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("writing the message of approval %q: %w", j.record.Name, err)
	}
	message, err := json.Marshal(map[string]string{"default": string(text), "email": note.letter()})
	if err != nil {
		return fmt.Errorf("writing the message of approval %q: %w", j.record.Name, err)
	}
	as := j.as.Copy()
	if parts := strings.Split(topic, ":"); len(parts) == 6 {
		as.Region = parts[3]
	}
	subject := cut(fmt.Sprintf("APPROVAL NEEDED: AWS CodePipeline %s for action %s", j.key.name, j.record.Name), maxSubject)
	_, err = sns.NewFromConfig(as).Publish(ctx, &sns.PublishInput{
		TopicArn: &topic, Subject: &subject, Message: aws.String(string(message)), MessageStructure: aws.String("json"),
	})
	return err
}

// letter is the note for people.
func (n *approvalNote) letter() string {
	var b strings.Builder
	fmt.Fprintf(&b, "The approval action %s in stage %s of pipeline %s waits for a decision.\n\n", n.Approval.ActionName, n.Approval.StageName, n.Approval.PipelineName)
	if text := n.Approval.CustomData; text != nil {
		fmt.Fprintf(&b, "Comments: %s\n", *text)
	}
	if link := n.Approval.ExternalEntityLink; link != nil {
		fmt.Fprintf(&b, "To review: %s\n", *link)
	}
	fmt.Fprintf(&b, "To approve or reject: %s\nDeadline: %s\n", n.Approval.ApprovalReviewLink, n.Approval.Expires)
	return b.String()
}
