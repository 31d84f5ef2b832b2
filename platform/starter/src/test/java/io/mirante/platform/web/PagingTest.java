package io.mirante.platform.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class PagingTest {

    @Test
    void limitIsFiftyByDefaultAndFromOneToFiveHundred() {
        assertThat(Paging.of(null, null).limit()).isEqualTo(50);
        assertThat(Paging.of("1", null).limit()).isEqualTo(1);
        assertThat(Paging.of("500", null).limit()).isEqualTo(500);
        for (var bad : List.of("0", "501", "-1", "x", "1.5", "99999999999")) {
            assertThatThrownBy(() -> Paging.of(bad, null))
                    .as(bad)
                    .isInstanceOf(ProblemException.class)
                    .hasMessageContaining("from 1 to 500");
        }
    }

    @Test
    void aCursorLeadsToTheNextPageAndTheLastPageHasNone() {
        var page = Page.of(List.of("a", "b", "ç"), 2, Function.identity());
        assertThat(page.items()).containsExactly("a", "b");
        assertThat(Paging.of(null, page.nextCursor()).after()).isEqualTo("b");
        assertThat(Page.of(List.of("a", "b"), 2, Function.identity()).nextCursor()).isNull();
    }

    @Test
    void aCursorThatIsNoneOfOursIsRefused() {
        assertThatThrownBy(() -> Paging.of(null, "%%%")).isInstanceOf(ProblemException.class);
    }
}
