package io.mirante.gateway.live;

import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Keeps a cancellation from its source and drops what still comes: with Reactor Netty a socket whose receiver is cancelled
 * is closed at once and without a code, and a receiver is cancelled as soon as the socket it feeds has ended. Demand goes
 * through unchanged.
 */
final class Uncancelled<T> implements CoreSubscriber<T>, Subscription {

    private final CoreSubscriber<? super T> actual;
    private Subscription source = Operators.emptySubscription();
    private volatile boolean cancelled;

    private Uncancelled(CoreSubscriber<? super T> actual) {
        this.actual = actual;
    }

    static <T> Flux<T> of(Flux<T> source) {
        return source.transform(
                Operators.<T, T>lift((scannable, subscriber) -> new Uncancelled<T>(subscriber)));
    }

    @Override
    public Context currentContext() {
        return actual.currentContext();
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        source = subscription;
        actual.onSubscribe(this);
    }

    @Override
    public void onNext(T item) {
        if (!cancelled) {
            actual.onNext(item);
        }
    }

    @Override
    public void onError(Throwable error) {
        if (!cancelled) {
            actual.onError(error);
        }
    }

    @Override
    public void onComplete() {
        if (!cancelled) {
            actual.onComplete();
        }
    }

    @Override
    public void request(long n) {
        source.request(n);
    }

    @Override
    public void cancel() {
        cancelled = true;
    }
}
