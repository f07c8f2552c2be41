"""What a monitor reads."""

from prometheus_client.parser import text_string_to_metric_families
from running_server import draw_part, run_station

from efficientad.data.images.encoding import encode_png


def read(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_images_answers_times_and_scores_are_counted(loaded):
    with run_station(loaded) as client:
        for defect in (False, True, True):
            client.post("/predict?model=washer", content=encode_png(draw_part(defect)))
        client.post("/predict?model=washer", content=b"no image")
        client.post("/predict?model=gear", content=b"")
        values = read(client)
    assert values["efficientad_images_total", "washer", "normal"] == 1
    assert values["efficientad_images_total", "washer", "anomalous"] == 2
    assert values["efficientad_images_total", "washer", "error"] == 1
    assert [values["efficientad_requests_total", status] for status in ("200", "400", "404")] == [3, 1, 1]
    assert values["efficientad_judging_seconds_count", "washer"] == 4
    assert values["efficientad_display_score_bucket", "0.5", "washer"] == 1
    assert values["efficientad_capacity",] == 18
    assert values["process_resident_memory_bytes",] > 1e6
