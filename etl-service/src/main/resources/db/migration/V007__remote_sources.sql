-- Sources elsewhere: S3 and PostgreSQL. They have no file; what they ask for is sealed with the master key.
ALTER TABLE etl_source DROP CONSTRAINT etl_source_kind_check;
ALTER TABLE etl_source ADD CONSTRAINT etl_source_kind_check CHECK (kind IN ('upload', 's3', 'postgresql'));
ALTER TABLE etl_source
    ALTER COLUMN format DROP NOT NULL,        -- null = postgresql
    ALTER COLUMN file DROP NOT NULL,          -- null = elsewhere
    ALTER COLUMN file_name DROP NOT NULL,
    ALTER COLUMN bytes DROP NOT NULL,
    ADD COLUMN place jsonb,                   -- where it is, without credentials; null = upload
    ADD COLUMN credentials text,              -- sealed, Base64
    ADD COLUMN watermark_value text,          -- up to where it was read; null = from the start
    ADD CONSTRAINT etl_source_here_or_elsewhere CHECK (
        CASE kind
            WHEN 'upload' THEN file IS NOT NULL AND format IS NOT NULL AND place IS NULL AND credentials IS NULL
            ELSE file IS NULL AND place IS NOT NULL AND credentials IS NOT NULL
        END);
