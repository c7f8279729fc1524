# SPDX-License-Identifier: Apache-2.0
"""A partner's Kafka program, as its authors would write it: Confluent's client with its Avro serializers and a registry.

kafka_client.py ask BOOTSTRAP REGISTRY TOPIC SCHEMA RECORD [header]   writes one request, replay or control, given as JSON
kafka_client.py read BOOTSTRAP REGISTRY [TOPIC...]   reads all that was told (there), one JSON object a line: topic, at, form, type, record
kafka_client.py register REGISTRY SUBJECT SCHEMA   registers the schema in that file
kafka_client.py forget REGISTRY SUBJECT SCHEMA   removes the subject
"""
import json
import sys
import warnings

warnings.showwarning = lambda *_, **__: None  # what the libraries think of one another is not what a test looks for

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

TOLD = ("sandbox.clone.step.completed", "sandbox.clone.backup-restored", "sandbox.clone.state", "sandbox.clone.dead-letter",
        "sandbox.notifier.dead-letter")
PATIENCE_S = 60


def ask(bootstrap, registry, topic, schema_file, record, form="prefix"):
    settings = {"auto.register.schemas": False, "use.latest.version": True}
    if form == "header":
        settings["schema.id.serializer"] = header_schema_id_serializer
    with open(schema_file, encoding="utf-8") as file:
        serialize = AvroSerializer(SchemaRegistryClient({"url": registry}), file.read(), conf=settings)
    record = json.loads(record)
    context = SerializationContext(topic, MessageField.VALUE, headers := [])
    value = serialize(record, context)
    refused = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, key=record["target_ctx"], value=value, headers=headers,
                     on_delivery=lambda error, _: refused.append(error) if error else None)
    if producer.flush(PATIENCE_S) or refused:
        sys.exit(f"the record was not delivered: {refused}")


def partitions_of(consumer, topic):
    for number in sorted(consumer.list_topics(topic, PATIENCE_S).topics[topic].partitions):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), PATIENCE_S)
        if high > low:
            yield TopicPartition(topic, number, low), high


def read_partition(consumer, start, end):
    consumer.assign([start])
    while True:
        message = consumer.poll(PATIENCE_S)
        if message is None or message.error():
            sys.exit(f"{start.topic} could not be read: {message and message.error()}")
        yield message
        if message.offset() >= end - 1:
            return


def read(bootstrap, registry, *topics):
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry}))
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "a-partner", "enable.auto.commit": False})
    for topic in topics or TOLD:
        for start, end in list(partitions_of(consumer, topic)):
            for message in read_partition(consumer, start, end):
                headers = message.headers() or []
                names = [name for name, _ in headers]
                record = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE, headers))
                print(json.dumps({"topic": topic, "at": f"{message.partition()}:{message.offset()}",
                                  "form": "header" if "__value_schema_id" in names else "prefix",
                                  "type": dict(headers)["ce_type"].decode(), "record": record}, default=str))
    consumer.close()


def register(registry, subject, schema_file):
    with open(schema_file, encoding="utf-8") as file:
        SchemaRegistryClient({"url": registry}).register_schema(subject, Schema(file.read(), "AVRO"))


def forget(registry, subject, _):
    client = SchemaRegistryClient({"url": registry})
    client.delete_subject(subject)
    client.delete_subject(subject, permanent=True)


if __name__ == "__main__":
    {"ask": ask, "read": read, "register": register, "forget": forget}[sys.argv[1]](*sys.argv[2:])
