// Command naive is the sender of the accident, a fixture of the experiment and no part of Fanmail: every invocation opens a new
// database handle, with the defaults of database/sql, and leaves it open when it returns. Its environment is then frozen, and
// holds the connection for as long as Lambda keeps it.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	_ "github.com/jackc/pgx/v5/stdlib"
)

type input struct {
	Campaign string `json:"campaign"`
	Batch    struct {
		First int64 `json:"first"`
		Last  int64 `json:"last"`
	} `json:"batch"`
}

type output struct {
	Sent int64 `json:"sent"`
}

type recipient struct {
	id, seq       int64
	address, name string
}

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ses := sesv2.NewFromConfig(c)
	lambda.Start(func(ctx context.Context, in input) (output, error) { return handle(ctx, ses, in) })
}

func handle(ctx context.Context, ses *sesv2.Client, in input) (out output, err error) {
	// The accident: neither opened once outside the handler nor closed here.
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		return out, err
	}
	batch, err := read(ctx, db, in)
	if err != nil {
		return out, err
	}
	for _, r := range batch {
		answer, err := ses.SendEmail(ctx, &sesv2.SendEmailInput{
			FromEmailAddress: aws.String("Spring Shop <news@shop.example.com>"),
			Destination:      &types.Destination{ToAddresses: []string{r.address}},
			Content: &types.EmailContent{Simple: &types.Message{
				Subject: &types.Content{Data: aws.String("Your spring discount")},
				Body:    &types.Body{Text: &types.Content{Data: aws.String("Dear " + r.name + ", spring is here.")}},
			}},
		})
		if err != nil {
			return out, err
		}
		// The ledger wants a claim on who was sent to.
		_, err = db.ExecContext(ctx, `update fanmail.recipient set state = 'sent', claim = gen_random_uuid(), message_id = $3, settled_at = now()
			where campaign_id = $1 and seq = $2`, r.id, r.seq, aws.ToString(answer.MessageId))
		if err != nil {
			return out, err
		}
		out.Sent++
	}
	return out, nil
}

// read fetches the whole batch before anything is sent, so that the invocation needs one connection and not two.
func read(ctx context.Context, db *sql.DB, in input) (batch []recipient, err error) {
	rows, err := db.QueryContext(ctx, `
		select r.campaign_id, r.seq, r.address, coalesce(r.fields->>'name', '')
		from fanmail.recipient r join fanmail.campaign c on c.id = r.campaign_id
		where c.name = $1 and r.seq between $2 and $3 and r.state = 'pending' order by r.seq`,
		in.Campaign, in.Batch.First, in.Batch.Last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r recipient
		if err := rows.Scan(&r.id, &r.seq, &r.address, &r.name); err != nil {
			return nil, err
		}
		batch = append(batch, r)
	}
	return batch, rows.Err()
}
