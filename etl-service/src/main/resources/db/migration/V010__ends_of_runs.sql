-- Each end of a run is published; a run that is resumed has several.
ALTER TABLE etl_run
    ADD COLUMN revision           bigint NOT NULL DEFAULT 0,
    ADD COLUMN published_revision bigint NOT NULL DEFAULT 0,
    ADD COLUMN anomalies          jsonb;              -- figures far from past runs; null = not judged
CREATE INDEX etl_run_unpublished ON etl_run (tenant_id, execution_id) WHERE revision > published_revision;

-- A job that is given up or cancelled ends its run in the same transaction: who works on it may be gone.
CREATE FUNCTION end_run_of_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE etl_run SET status = NEW.status, finished_at = now(), revision = revision + (NEW.status = 'failed')::int
    WHERE tenant_id = NEW.tenant_id AND job_id = NEW.id AND status IN ('pending', 'running');
    RETURN NULL;
END $$;
CREATE TRIGGER end_run AFTER UPDATE OF status ON job FOR EACH ROW
    WHEN (NEW.kind IN ('etl_run', 'etl_stream') AND NEW.status IN ('failed', 'cancelled') AND OLD.status <> NEW.status)
    EXECUTE FUNCTION end_run_of_job();

-- Those that ended so before. The tables' owner sees no rows while row security is forced.
ALTER TABLE etl_run NO FORCE ROW LEVEL SECURITY;
ALTER TABLE job NO FORCE ROW LEVEL SECURITY;
UPDATE etl_run SET status = job.status, finished_at = coalesce(job.finished_at, now()) FROM job
WHERE job.tenant_id = etl_run.tenant_id AND job.id = etl_run.job_id AND job.status IN ('failed', 'cancelled')
    AND etl_run.status IN ('pending', 'running');
ALTER TABLE job FORCE ROW LEVEL SECURITY;
ALTER TABLE etl_run FORCE ROW LEVEL SECURITY;
