package io.mirante.bench.simulation;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Conversations, tickets, missed promises and what customers thought of it. Immutable. */
final class SupportDesk {
    private static final List<String> CHANNELS = List.of("whatsapp", "email", "chat");
    private static final List<String> AGENTS = List.of("ana", "bruno", "carla", "davi", "elisa");
    private static final List<String> TAGS = List.of("delivery", "payment", "size", "account");

    private final String run;

    SupportDesk(String run) {
        this.run = run;
    }

    /**
     * A conversation, in two of five cases a ticket, in half of them an opinion. Fits into two and a half hours.
     *
     * @param trouble in [0, 1]: how badly it goes
     */
    List<SimulatedEvent> conversation(
            Dice dice, Person person, Instant at, double trouble, String name, double pace) {
        Storyline story = new Storyline(run + name, null, null, at, pace).as(person.userId(), null);
        Map<String, Object> place = new LinkedHashMap<>();
        place.put("conversation_id", "conv-" + run + name);
        place.put("channel", dice.pick(CHANNELS));
        place.put("org_unit", dice.chance(0.7) ? "sales" : "aftersales");
        place.put("tags", List.of(dice.pick(TAGS)));
        Map<String, Object> agent = with(place, "agent", dice.pick(AGENTS));
        story.desk("conversation.created", place);
        story.pause(dice, 1, 5).desk("message.received", place);
        story.pause(dice, 40, 400 + 900 * trouble);
        story.desk("conversation.first_reply", with(agent, "response_seconds", seconds(at, story)));
        story.pause(dice, 1, 5).desk("message.sent", agent);
        if (dice.chance(0.4 + 0.3 * trouble)) {
            ticket(story, dice, agent, trouble, name);
        }
        story.pause(dice, 60, 1200);
        story.desk("conversation.resolved", with(agent, "handle_seconds", seconds(at, story)));
        if (dice.chance(0.5)) {
            int score = Math.clamp(Math.round(4.6 - 3.2 * trouble + 0.8 * dice.normal()), 1, 5);
            story.pause(dice, 10, 300).desk("csat.submitted", with(agent, "score", score));
        }
        return story.events();
    }

    /** An incident: that many new tickets on WhatsApp within one second, every one of which misses its promise. */
    List<SimulatedEvent> incident(
            Dice dice, List<Person> people, Instant at, int tickets, String name) {
        List<SimulatedEvent> all = new ArrayList<>();
        for (int i = 0; i < tickets; i++) {
            String line = name + "-" + i;
            Storyline story =
                    new Storyline(run + line, null, null, at.plusMillis(900L * i / tickets), 1)
                            .as(dice.pick(people).userId(), null);
            Map<String, Object> ticket = new LinkedHashMap<>();
            ticket.put("ticket_id", "ticket-" + run + line);
            ticket.put("channel", "whatsapp");
            ticket.put("org_unit", "aftersales");
            ticket.put("priority", "high");
            story.desk("ticket.created", ticket);
            story.pause(dice, 0.01, 0.05).desk("ticket.sla_breached", ticket);
            all.addAll(story.events());
        }
        return all;
    }

    private void ticket(
            Storyline story, Dice dice, Map<String, Object> agent, double trouble, String name) {
        Map<String, Object> ticket = with(agent, "ticket_id", "ticket-" + run + name);
        ticket.put("priority", dice.chance(0.2) ? "high" : "normal");
        story.pause(dice, 5, 60).desk("ticket.created", ticket);
        Instant opened = story.now();
        story.pause(dice, 60, 600);
        story.desk("ticket.first_reply", with(ticket, "response_seconds", seconds(opened, story)));
        if (dice.chance(0.08 + 0.35 * trouble)) {
            story.pause(dice, 600, 1800).desk("ticket.sla_breached", ticket);
        }
        story.pause(dice, 300, 2400);
        story.desk("ticket.resolved", with(ticket, "handle_seconds", seconds(opened, story)));
        story.pause(dice, 10, 600).desk("ticket.closed", ticket);
    }

    private static long seconds(Instant since, Storyline story) {
        return Duration.between(since, story.now()).toSeconds();
    }

    private static Map<String, Object> with(Map<String, Object> base, String key, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(base);
        more.put(key, value);
        return more;
    }
}
