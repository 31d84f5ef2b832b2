package io.mirante.platform.jobs;

import tools.jackson.databind.JsonNode;

/**
 * Does one kind of job. A bean; called on a virtual thread of its own, so it may block. A job may run again from its
 * beginning after a crash: the handler's effects must allow that.
 */
public interface JobHandler {

    /** The kind it does, such as {@code clustering}. */
    String kind();

    /**
     * Does the work.
     *
     * @return the job's result, JSON
     * @throws JobAgainException when there is more to do later: it is called again then
     * @throws JobFailedException when it cannot be done, with the reason for the caller
     * @throws Exception when something broke: tried again up to three times, then failed
     */
    JsonNode run(JobContext context) throws Exception;
}
