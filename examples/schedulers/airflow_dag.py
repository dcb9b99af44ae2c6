"""Airflow: publishing stands on the path, the shadow is a leaf, and a job asks which version is live."""

import datetime
import os
import subprocess

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

PIPELINE = os.environ.get("UNDERSTUDY_PIPELINE", "/pipelines/flights")
UNEXPECTED, USAGE, NOT_CHECKED = 1, 2, 3


class UnderstudyOperator(BaseOperator):
    """One half of `understudy run`, for the DAG run's date."""

    template_fields = ("date", "pipeline")

    def __init__(self, *, half, pipeline=PIPELINE, date="{{ ds }}", **settings):
        super().__init__(**settings)
        self.half, self.pipeline, self.date = half, pipeline, date

    def execute(self, context):
        strict = ["--strict"] if self.half == "shadow" else []
        command = ["understudy", "run", f"--{self.half}", *strict, "--date", self.date, self.pipeline]
        code = subprocess.run(command).returncode
        # A pipeline file that is wrong stays wrong, and a verdict stays a verdict: neither is tried again.
        if code == USAGE:
            raise AirflowFailException("the pipeline file is wrong")
        if code == UNEXPECTED:
            raise AirflowFailException("unexpected differences: see `understudy report`")
        if code == NOT_CHECKED and context["ti"].try_number > self.retries:
            raise AirflowSkipException("not checked: evidence is missing")
        if code != 0:
            raise RuntimeError(f"understudy exited with {code}")


with DAG("flights", start_date=pendulum.datetime(2013, 1, 1, tz="UTC"), schedule="@monthly", catchup=False) as dag:
    publish = UnderstudyOperator(task_id="publish", half="live", retries=3)
    # What it finds holds up nobody, and a teardown does not decide whether the DAG run failed. Data that are not there
    # yet are looked for again.
    shadow = UnderstudyOperator(
        task_id="shadow", half="shadow", retries=2, retry_delay=datetime.timedelta(minutes=30)
    )
    mail = BashOperator(task_id="mail", bash_command="echo whatever comes next")
    # A job that runs versions itself asks which one is live.
    own_job = BashOperator(
        task_id="own_job",
        bash_command=f"VERSION=$(understudy which block_times --customer AA {PIPELINE}) && echo running $VERSION",
    )
    publish >> [mail, own_job]
    shadow.as_teardown(setups=publish)
