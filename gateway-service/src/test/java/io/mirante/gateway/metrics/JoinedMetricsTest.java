package io.mirante.gateway.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class JoinedMetricsTest {

    @Test
    void eachMetricIsDescribedOnceAndEverySampleNamesItsService() {
        var page =
                new JoinedMetrics()
                        .add(
                                "a-service",
                                """
                                # HELP up Is it up
                                # TYPE up gauge
                                up 1.0
                                # HELP t_seconds Time
                                # TYPE t_seconds summary
                                t_seconds_count{uri="/x"} 2
                                t_seconds_sum{uri="/x"} 0.5
                                """)
                        .add(
                                "b-service",
                                """
                                # HELP up Is it up
                                # TYPE up gauge
                                up{service="b-service"} 1.0
                                # HELP t_seconds Time
                                # TYPE t_seconds summary
                                t_seconds_count{service="b-service",uri="/x"} 3
                                """)
                        .page();
        assertThat(page)
                .isEqualTo(
                        """
                        # HELP up Is it up
                        # TYPE up gauge
                        up{service="a-service"} 1.0
                        up{service="b-service"} 1.0
                        # HELP t_seconds Time
                        # TYPE t_seconds summary
                        t_seconds_count{service="a-service",uri="/x"} 2
                        t_seconds_sum{service="a-service",uri="/x"} 0.5
                        t_seconds_count{service="b-service",uri="/x"} 3
                        """);
    }
}
