import json

import numpy as np
import pytest

from pipeline.calibrators import from_json, to_json
from pipeline.calibrators.serialisation import FITTED
from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.errors import InputError


@pytest.mark.parametrize("value", [np.pi, 1 / 3, 5e-324, np.nextafter(1.0, 2.0)])
def test_every_bit_of_a_number_survives(value):
    restored = from_json(json.loads(json.dumps(to_json(TemperatureScaling(float(value))))))
    assert restored.temperature == value


def test_every_fitted_class_is_frozen_and_tells_what_a_report_must_know():
    for fitted in FITTED.values():
        assert fitted.__dataclass_params__.frozen
        assert {"preserves_argmax", "notes"} <= {*dir(fitted), *fitted.__dataclass_fields__}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"type": "PlattScaling"}, "type of calibrator must be one of .*, got 'PlattScaling'"),
        ({"temperature": 2.0}, "type of calibrator must be one of .*, got None"),
        (
            {"type": "TemperatureScaling", "temprature": 2.0, "notes": []},
            "TemperatureScaling has the parts notes, temperature; got notes, temprature",
        ),
        ({"type": "Identity"}, "Identity has the parts notes; got "),
    ],
)
def test_refuses_a_record_it_did_not_write(record, reason):
    with pytest.raises(InputError, match=reason):
        from_json(record)


def test_refuses_to_write_what_it_could_not_read():
    with pytest.raises(InputError, match="type of calibrator must be one of .*, got 'function'"):
        to_json(lambda logits: logits)
