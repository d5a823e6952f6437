// stripe-sync-engine behind Fastify, as its documentation sets it up: an event is verified, and its
// object written to a table of its kind. Runs where its packages are (see `bench.ingest`). CommonJS,
// for as a module it does not find its own migrations.

const { runMigrations, StripeSync } = require("@supabase/stripe-sync-engine");
const Fastify = require("fastify");

async function main() {
  const databaseUrl = process.env.DATABASE_URL;
  await runMigrations({ databaseUrl, schema: "stripe", logger: console });
  const sync = new StripeSync({
    poolConfig: { connectionString: databaseUrl, max: 10 },
    stripeSecretKey: "sk_test_bench",
    stripeWebhookSecret: process.env.STRIPE_WEBHOOK_SECRETS,
    backfillRelatedEntities: false,
  });

  const server = Fastify({ logger: { level: "error" } });
  server.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  server.post("/webhooks", async (request) => {
    await sync.processWebhook(request.body, request.headers["stripe-signature"]);
    return { received: true };
  });
  await server.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
}

main();
