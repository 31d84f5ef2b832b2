package io.mirante.platform.persistence;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.postgresql.client.EncodedParameter;
import io.r2dbc.postgresql.codec.Codec;
import io.r2dbc.postgresql.codec.CodecMetadata;
import io.r2dbc.postgresql.codec.CodecRegistry;
import io.r2dbc.postgresql.codec.PostgresqlObjectId;
import io.r2dbc.postgresql.extension.CodecRegistrar;
import io.r2dbc.postgresql.message.Format;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/**
 * Sends arrays of texts, numbers and times in PostgreSQL's binary format. The driver sends them as one text, which has to be
 * escaped character by character here and read so again there. Format: the source of PostgreSQL,
 * {@code array_recv}. Types are those that the driver declares: {@code text[]}, {@code int8[]}, {@code int4[]}, {@code float8[]},
 * {@code timestamptz[]}. Thread-safe.
 */
final class BinaryArrays implements CodecRegistrar {

    /** Midnight of 2000-01-01, where PostgreSQL counts from. */
    private static final Instant EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    @Override
    public Publisher<Void> register(
            PostgresqlConnection connection, ByteBufAllocator allocator, CodecRegistry registry) {
        registry.addFirst(
                new ArrayOf<>(
                        String[].class,
                        PostgresqlObjectId.TEXT_ARRAY,
                        PostgresqlObjectId.TEXT,
                        BinaryArrays::write,
                        allocator));
        registry.addFirst(
                new ArrayOf<>(
                        Long[].class,
                        PostgresqlObjectId.INT8_ARRAY,
                        PostgresqlObjectId.INT8,
                        (number, to) -> to.writeInt(Long.BYTES).writeLong(number),
                        allocator));
        registry.addFirst(
                new ArrayOf<>(
                        Integer[].class,
                        PostgresqlObjectId.INT4_ARRAY,
                        PostgresqlObjectId.INT4,
                        (number, to) -> to.writeInt(Integer.BYTES).writeInt(number),
                        allocator));
        registry.addFirst(
                new ArrayOf<>(
                        Double[].class,
                        PostgresqlObjectId.FLOAT8_ARRAY,
                        PostgresqlObjectId.FLOAT8,
                        (number, to) -> to.writeInt(Double.BYTES).writeDouble(number),
                        allocator));
        registry.addFirst(
                new ArrayOf<>(
                        Instant[].class,
                        PostgresqlObjectId.TIMESTAMPTZ_ARRAY,
                        PostgresqlObjectId.TIMESTAMPTZ,
                        (time, to) ->
                                to.writeInt(Long.BYTES)
                                        .writeLong(ChronoUnit.MICROS.between(EPOCH, time)),
                        allocator));
        return Mono.empty();
    }

    private static void write(String text, ByteBuf to) {
        int at = to.writerIndex();
        to.writeInt(0);
        to.setInt(at, ByteBufUtil.writeUtf8(to, text));
    }

    private interface Element<T> {
        void write(T value, ByteBuf to);
    }

    /** Encodes only: nulls, and what comes back, are the driver's own codecs'. It prefers this one because it names its type. */
    private record ArrayOf<T>(
            Class<T[]> type,
            PostgresqlObjectId arrayType,
            PostgresqlObjectId elementType,
            Element<T> element,
            ByteBufAllocator allocator)
            implements Codec<T[]>, CodecMetadata {

        private static final int DIMENSIONS = 1;
        private static final int MAY_HAVE_NULLS = 1;
        private static final int FIRST_INDEX = 1;
        private static final int NULL_LENGTH = -1;

        @Override
        public Iterable<PostgresqlObjectId> getDataTypes() {
            return List.of();
        }

        @Override
        public boolean canEncode(Object value) {
            return type.isInstance(value);
        }

        @Override
        public EncodedParameter encode(Object value) {
            var values = type.cast(value);
            return new EncodedParameter(
                    Format.FORMAT_BINARY,
                    arrayType.getObjectId(),
                    Mono.fromSupplier(() -> written(values)));
        }

        /** A type that a statement prescribes is left to PostgreSQL's casts. */
        @Override
        public EncodedParameter encode(Object value, int dataType) {
            return encode(value);
        }

        private ByteBuf written(@Nullable T[] values) {
            var buffer = allocator.buffer();
            if (values.length == 0) {
                return buffer.writeInt(0).writeInt(0).writeInt(elementType.getObjectId());
            }
            buffer.writeInt(DIMENSIONS).writeInt(MAY_HAVE_NULLS);
            buffer.writeInt(elementType.getObjectId());
            buffer.writeInt(values.length).writeInt(FIRST_INDEX);
            for (var value : values) {
                if (value == null) {
                    buffer.writeInt(NULL_LENGTH);
                } else {
                    element.write(value, buffer);
                }
            }
            return buffer;
        }

        @Override
        public boolean canEncodeNull(Class<?> type) {
            return false;
        }

        @Override
        public EncodedParameter encodeNull() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean canDecode(int dataType, Format format, Class<?> type) {
            return false;
        }

        @Override
        public T[] decode(
                @Nullable ByteBuf buffer, int dataType, Format format, Class<? extends T[]> type) {
            throw new UnsupportedOperationException();
        }
    }
}
