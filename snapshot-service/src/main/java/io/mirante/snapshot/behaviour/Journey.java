package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.lake.LakeReader;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The question what people do next, checked.
 *
 * <p>What an event is to it is a mask: {@link #START} = it can be the start, {@link #NEXT} = it may come next.
 *
 * @param start what the first event must be
 * @param types of events that may come next; empty = all
 * @param depth how many events after the start are followed, 1 or more
 * @param maxNodes how many events of each depth stand for themselves
 * @param windowMicros µs from the start in which events are followed, end included; null = up to the end of the range
 * @param range events outside it are not looked at
 */
record Journey(
        EventCondition start,
        List<String> types,
        int depth,
        int maxNodes,
        @Nullable Long windowMicros,
        TimeRange range) {

    static final int START = 1;
    static final int NEXT = 2;

    /** An event's key: the type, of a page view with the page. */
    private static final String KEY =
            "CASE WHEN event_type = 'page_view' AND main_property IS NOT NULL THEN concat(event_type, ' ', main_property) ELSE event_type END";

    Journey {
        types = List.copyOf(types);
    }

    /** Key of the start. */
    String startKey() {
        return start.value().isEmpty() ? start.type() : start.type() + " " + start.value();
    }

    /** Events with their keys; before a key, in a line of its own, the data of those that can be the start, where that is looked at. */
    LakeReader.Scan scan() {
        var arguments = new ArrayList<String>();
        var mask = "CASE WHEN %s THEN %d ELSE 0 END".formatted(start.sql(arguments), START);
        var wanted = new LinkedHashSet<String>();
        if (types.isEmpty()) {
            mask += " | " + NEXT;
        } else {
            var list = new ArrayList<String>();
            for (var type : types) {
                arguments.add(type);
                list.add("$" + arguments.size());
            }
            mask +=
                    " | CASE WHEN event_type IN (%s) THEN %d ELSE 0 END"
                            .formatted(String.join(", ", list), NEXT);
            wanted.addAll(types);
            wanted.add(start.type());
        }
        var data =
                start.filters().isEmpty()
                        ? ""
                        : "CASE WHEN (mask & %d) <> 0 THEN %s END, "
                                .formatted(START, LakeReader.Scan.EVENT_DATA);
        return new LakeReader.Scan(
                range,
                List.copyOf(wanted),
                mask,
                arguments,
                "concat(%schr(10), %s)".formatted(data, KEY));
    }
}
